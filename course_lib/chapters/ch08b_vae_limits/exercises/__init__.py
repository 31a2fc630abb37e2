"""The exercises of chapter 08b, one a file."""
