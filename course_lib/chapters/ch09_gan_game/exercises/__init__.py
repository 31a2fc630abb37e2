"""The exercises of chapter 09, one a file."""
