"""What chapter 12 is held with."""
