"""The exercises of chapter 07b, one a file."""
