"""What chapter 11 is held with."""
