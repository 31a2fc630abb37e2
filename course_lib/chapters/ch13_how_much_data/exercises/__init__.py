"""The exercises of chapter 13, one a file."""
