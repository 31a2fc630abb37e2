"""The exercises of chapter 06b, one a file."""
