"""The exercises of chapter 14, one a file."""
