"""What chapter 00 is held with."""
