"""What chapter 08 is held with."""
