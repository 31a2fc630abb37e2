"""The exercises of chapter 11, one a file."""
