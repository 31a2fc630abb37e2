"""The exercises of chapter 04b, one a file."""
