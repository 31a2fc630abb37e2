"""The record of what chapters train live is made by their own cells, with other seeds, up to a cell that is named."""

import pytest

from benchmarks.together import live_values
from course_lib import paths

SOURCE = """\
# %% [markdown]
# not_run = 1

# %%
from course_lib.classroom.records import recorded

seen = [seed for seed in range(5)]

# %%
others = recorded("live_values").arm("toy")
values = others.beside(seen, "numbers")

# %%
raise RuntimeError("too far")
"""


@pytest.fixture
def toy(tmp_path, monkeypatch):
    monkeypatch.setattr(live_values, "SOURCES", tmp_path)
    (tmp_path / "toy.py").write_text(SOURCE, encoding="utf-8")


def test_cells_run_with_other_seeds_up_to_the_one_that_is_named(toy):
    found = live_values.variables("toy", "values =", {"range(5)": "range(10, 12)"})
    assert found["values"] == [10, 11]
    assert "not_run" not in found


@pytest.mark.parametrize(("last", "old"), [("values =", "range(6)"), ("no such cell", "range(5)")])
def test_what_the_source_does_not_have_is_named(toy, last, old):
    with pytest.raises(LookupError, match=r"no such cell|range\(6\)"):
        live_values.variables("toy", last, {old: ""})


@pytest.mark.parametrize("make", [live_values.mixtures, live_values.bumps, live_values.critics])
def test_the_chapters_still_have_the_cells_and_seeds(make, monkeypatch):
    class Looked(Exception):
        pass

    def look(chapter, last, other_seeds):
        source = (paths.SOURCES / f"{chapter}.py").read_text(encoding="utf-8")
        assert last in source
        assert all(old in source and new != old for old, new in other_seeds.items())
        raise Looked

    monkeypatch.setattr(live_values, "variables", look)
    with pytest.raises(Looked):
        make()
