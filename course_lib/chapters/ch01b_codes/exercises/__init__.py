"""The exercises of chapter 01b, one a file."""
