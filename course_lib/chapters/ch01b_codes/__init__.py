"""What chapter 01b is held with."""
