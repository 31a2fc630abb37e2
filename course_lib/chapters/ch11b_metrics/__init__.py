"""What chapter 11b is held with."""
