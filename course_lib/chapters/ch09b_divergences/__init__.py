"""What chapter 09b is held with."""
