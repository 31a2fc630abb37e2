"""What chapter 00 shows beside its model: describe() and the opening picture."""

import torch

from course_lib.training import runtime


def test_describe_says_device_budget_and_where_files_are(home, capsys):
    (home / "deep").mkdir(parents=True)
    (home / "deep" / "a").write_bytes(b"x" * 2**20)
    (home / "b").write_bytes(b"x" * 2**19)
    runtime.describe()
    said = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert list(said) == ["device", "precision", "budget", "notebooks", "progress", "packages", "network"]
    assert said["device"].startswith(f"cpu, {torch.get_num_threads()} threads")
    assert said["budget"].startswith("quick: small sizes")
    assert said["progress"].startswith("the folder in COURSE_HOME: 2 files, 1.5 MiB")
    assert str(home) not in str(said)


def test_describe_makes_nothing_and_follows_the_budget(home, capsys, monkeypatch):
    monkeypatch.setenv("COURSE_BUDGET", "full")
    runtime.describe()
    said = capsys.readouterr().out
    assert "budget     full: large sizes" in said
    assert "0 files, 0.0 MiB" in said
    assert not home.exists()
    monkeypatch.delenv("COURSE_HOME")
    runtime.describe()
    assert "progress   .course/: " in capsys.readouterr().out
