"""The exercises of chapter 16b, one a file."""
