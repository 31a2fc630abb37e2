"""The exercises of chapter 01, one a file."""
