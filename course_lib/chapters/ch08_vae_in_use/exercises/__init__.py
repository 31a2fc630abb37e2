"""The exercises of chapter 08, one a file."""
