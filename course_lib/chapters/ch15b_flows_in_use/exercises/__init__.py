"""The exercises of chapter 15b, one a file."""
