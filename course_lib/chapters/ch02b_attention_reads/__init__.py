"""What chapter 02b is held with."""
