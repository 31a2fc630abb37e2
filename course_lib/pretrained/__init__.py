"""Models that come with the course, filled from the files in ``data/``."""
