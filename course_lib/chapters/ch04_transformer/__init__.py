"""What chapter 04 is held with."""
