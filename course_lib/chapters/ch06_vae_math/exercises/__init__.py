"""The exercises of chapter 06, one a file."""
