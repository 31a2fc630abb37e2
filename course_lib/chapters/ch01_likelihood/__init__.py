"""What chapter 01 is held with."""
