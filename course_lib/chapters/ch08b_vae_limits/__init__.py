"""What chapter 08b is held with."""
