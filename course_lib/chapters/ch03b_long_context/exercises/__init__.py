"""The exercises of chapter 03b, one a file."""
