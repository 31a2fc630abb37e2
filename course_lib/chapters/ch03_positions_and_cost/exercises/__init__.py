"""The exercises of chapter 03, one a file."""
