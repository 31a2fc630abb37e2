"""The exercises of chapter 02b, one a file."""
