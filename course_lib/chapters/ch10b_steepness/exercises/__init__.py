"""The exercises of chapter 10b, one a file."""
