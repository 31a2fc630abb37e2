"""The exercises of chapter 17, one a file."""
