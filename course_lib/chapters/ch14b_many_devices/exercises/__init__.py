"""The exercises of chapter 14b, one a file."""
