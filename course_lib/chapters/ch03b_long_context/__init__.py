"""What chapter 03b is held with."""
