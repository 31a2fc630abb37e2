"""What chapter 02 is held with."""
