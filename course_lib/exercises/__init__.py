"""Exercises: the learner writes a central function, and hears at once whether it is right and, if not, why.

In a notebook ``@exercise(id)`` stands above a stub and ``answer(id, value)`` takes a prediction; ``hint(id)``,
``solution(id)``, ``progress()`` and ``reset(id)`` help. The exercises of chapter NN are declared in
``chNN_*.py``, in the terms of ``spec.py``.
"""

from course_lib.exercises.engine import answer, exercise, hint, progress, reset, solution

__all__ = ["answer", "exercise", "hint", "progress", "reset", "solution"]
