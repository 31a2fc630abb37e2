"""The exercises of chapter 16, one a file."""
