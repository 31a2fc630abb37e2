"""The exercises of chapter 15, one a file."""
