"""What chapter 00b is held with."""
