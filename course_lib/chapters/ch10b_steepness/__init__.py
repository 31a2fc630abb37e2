"""What chapter 10b is held with."""
