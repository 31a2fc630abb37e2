"""What chapter 13 is held with."""
