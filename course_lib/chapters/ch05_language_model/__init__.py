"""What chapter 05 is held with."""
