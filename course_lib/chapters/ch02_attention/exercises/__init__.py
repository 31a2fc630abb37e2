"""The exercises of chapter 02, one a file."""
