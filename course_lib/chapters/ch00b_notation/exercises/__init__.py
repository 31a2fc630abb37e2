"""The exercises of chapter 00b, one a file."""
