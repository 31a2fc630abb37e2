"""What chapter 07 is held with."""
