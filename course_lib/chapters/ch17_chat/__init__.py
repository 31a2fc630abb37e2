"""What chapter 17 is held with."""
