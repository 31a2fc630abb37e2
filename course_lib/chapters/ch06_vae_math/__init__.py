"""What chapter 06 is held with."""
