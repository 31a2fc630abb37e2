"""The exercises of chapter 05b, one a file."""
