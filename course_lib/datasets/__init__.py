"""Data: shipped files, downloads, text, images, points on the plane."""
