"""What chapter 09 is held with."""
