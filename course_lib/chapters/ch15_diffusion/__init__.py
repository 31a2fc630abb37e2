"""What chapter 15 is held with."""
