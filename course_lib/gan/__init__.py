"""Generative adversarial networks: losses, penalties, turns, networks for images and for the plane, the Dirac game."""
