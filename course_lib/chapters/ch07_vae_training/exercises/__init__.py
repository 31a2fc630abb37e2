"""The exercises of chapter 07, one a file."""
