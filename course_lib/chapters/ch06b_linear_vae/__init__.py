"""What chapter 06b is held with."""
