"""What chapter 03 is held with."""
