"""What chapter 00 shows beside its model: describe() and the opening picture."""

import pytest
import torch

from course_lib import figures, runtime


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


def test_the_opening_is_data_samples_and_density_of_a_model_that_learned():
    figure, alt = figures.opening()
    data, drawn, density = figure.axes[:3]
    assert len(data.collections[0].get_offsets()) == len(drawn.collections[0].get_offsets()) == 400
    values = density.images[0].get_array()
    side = 120
    assert values.shape == (side, side)
    cell = (density.images[0].get_extent()[1] * 2 / (side - 1)) ** 2
    assert float(torch.tensor(values.data).exp().sum()) * cell == pytest.approx(1, abs=0.02)
    at = torch.as_tensor(data.collections[0].get_offsets().data)
    place = ((at + 2.3) / 4.6 * (side - 1)).round().long()
    on_data = torch.tensor(values.data)[place[:, 1], place[:, 0]]
    assert on_data.median() > -2.5  # rows are x₂: a transposed picture is white where the data are
    assert "400" in alt


def test_samples_are_triangles_and_data_dots():
    _, ((ax, other),) = figures.new(1, 2)
    figures.points(ax, torch.zeros(3, 2))
    figures.points(other, torch.zeros(3, 2), figures.ORANGE, s=4)
    dots, triangles = (len(each.collections[0].get_paths()[0].vertices) for each in (ax, other))
    assert triangles == 4
    assert dots > 10
