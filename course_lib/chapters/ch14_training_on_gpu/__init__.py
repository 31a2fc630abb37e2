"""What chapter 14 is held with."""
