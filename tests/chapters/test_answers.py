"""Every chapter's exercises: known mistakes, in two writings each, are named; other right answers pass.

The writings stand in ``test_exercises_chNN.py``: WRONG is id → key → two bodies, RIGHT is id → bodies.
"""

import runpy
from pathlib import Path

import pytest
from written import written

from course_lib.chapters.exercises import REGISTRY
from course_lib.classroom.exercises.check import check
from course_lib.classroom.exercises.spec import Answer, Exercise

FILES = [runpy.run_path(str(path)) for path in sorted(Path(__file__).parent.glob("test_exercises_ch*.py"))]
WRONG = {id: keys for file in FILES for id, keys in file["WRONG"].items()}
RIGHT = {id: bodies for file in FILES for id, bodies in file["RIGHT"].items()}
CASES = [(id, key, body) for id, keys in WRONG.items() for key, bodies in keys.items() for body in bodies]
ENTRIES = [entry for exercises in REGISTRY.chapters.values() for entry in exercises.values()]


@pytest.mark.parametrize(
    ("id", "key", "body"), CASES, ids=[f"{id}-{key}-{i % 2}" for i, (id, key, _) in enumerate(CASES)]
)
def test_wrong_answers_are_named(id, key, body):
    verdict = check(written(REGISTRY.find(id), body), REGISTRY.find(id))
    assert (verdict.state, verdict.key) == ("wrong", key), verdict


@pytest.mark.parametrize("exercise", [e for e in ENTRIES if isinstance(e, Exercise)], ids=lambda e: e.id)
def test_every_known_mistake_has_two_writings_and_two_other_right_answers_exist(exercise):
    assert {m.key for m in exercise.mistakes} <= set(WRONG[exercise.id])
    assert all(len(set(bodies)) == len(bodies) >= 2 for bodies in WRONG[exercise.id].values())
    assert len(set(RIGHT[exercise.id])) >= 2


@pytest.mark.parametrize(("id", "body"), [(id, body) for id, bodies in RIGHT.items() for body in bodies])
def test_right_answers_in_other_styles_pass(id, body):
    verdict = check(written(REGISTRY.find(id), body), REGISTRY.find(id))
    assert verdict.state == "right", verdict


@pytest.mark.parametrize("answer", [e for e in ENTRIES if isinstance(e, Answer)], ids=lambda e: e.id)
def test_answers_know_their_tempting_ones(answer):
    assert answer.right not in answer.wrong
    assert len(answer.wrong) >= 3
    assert all(len(text) > 20 for text in answer.wrong.values())
