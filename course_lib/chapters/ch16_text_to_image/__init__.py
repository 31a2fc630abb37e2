"""What chapter 16 is held with."""
