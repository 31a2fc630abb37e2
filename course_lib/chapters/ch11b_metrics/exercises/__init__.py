"""The exercises of chapter 11b, one a file."""
