"""Exercises: the learner writes a central function, and hears at once whether it is right and, if not, why.

An author declares them in the terms of ``spec.py``, with numbers of ``probes.py``; ``registry.py`` finds them by id.
``engine.py`` is what a notebook calls. It hands a cell to ``check.py``, which compares parameters (``signature.py``),
makes every call (``calls.py``) without a trace (``guard.py``, ``watch.py``), compares what comes back (``compare.py``)
or reads what was raised (``raised.py``), and looks for a known mistake (``mistakes.py``): 'your output equals …' is
written in ``check._known``. ``answers.py`` judges words and numbers, ``progress.py`` remembers under a ``lock.py``.
"""
