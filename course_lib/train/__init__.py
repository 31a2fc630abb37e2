"""The trainings of the chapters from a shell: ``python -m course_lib.train attention|vae|gan|lm``."""
