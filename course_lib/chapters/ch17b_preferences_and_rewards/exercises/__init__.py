"""The exercises of chapter 17b, one a file."""
