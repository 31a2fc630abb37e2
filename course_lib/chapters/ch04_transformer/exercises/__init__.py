"""The exercises of chapter 04, one a file."""
