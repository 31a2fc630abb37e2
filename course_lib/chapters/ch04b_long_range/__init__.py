"""What chapter 04b is held with."""
