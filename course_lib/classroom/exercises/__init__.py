"""Exercises: the learner writes a central function, and hears at once whether it is right and, if not, why.

An author declares them in the terms of ``spec.py``; ``engine.py`` does the rest.
"""
