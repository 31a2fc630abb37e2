"""What chapter 10 is held with."""
