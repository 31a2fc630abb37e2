"""The exercises of chapter 00, one a file."""
