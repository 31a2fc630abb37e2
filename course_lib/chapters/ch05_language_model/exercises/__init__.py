"""The exercises of chapter 05, one a file."""
