"""The exercises of chapter 09b, one a file."""
