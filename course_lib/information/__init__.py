"""Measures of information: divergences, transport, entropy coders, n-grams and file sizes."""
