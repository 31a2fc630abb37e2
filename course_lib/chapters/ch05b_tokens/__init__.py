"""What chapter 05b is held with."""
