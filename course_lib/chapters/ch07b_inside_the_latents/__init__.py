"""What chapter 07b is held with."""
