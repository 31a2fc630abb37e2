"""Every chapter's source runs to its end on the stand-in device, its claims hold there, and its loops do not wait."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.accelerator
ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "notebooks" / "source").glob("[0-9][0-9]*_*.py"))
# chapters that train on the device
TRAINING = {
    "02b",
    "03",
    "04",
    "04b",
    "05",
    "06",
    "07",
    "08",
    "08b",
    "09",
    "09b",
    "10",
    "10b",
    "11",
    "12",
    "13",
    "14",
    "15",
    "15b",
    "16",
    "16b",
    "17",
    "17b",
}


@pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.stem)
def test_a_chapter_runs_to_its_end(source):
    command = [sys.executable, "tests/accelerator/run_chapter.py", source.stem]
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1"}
    run = subprocess.run(command, cwd=ROOT, env=one_thread, capture_output=True, text=True, timeout=1200)
    assert run.returncode == 0, run.stderr[-3000:]
    found = json.loads(run.stdout.splitlines()[-1])
    operations = found["counts"].get("operations", 0)
    if source.stem.split("_")[0] in TRAINING:
        assert operations > 10_000  # the models are on the device, not beside it
        # a step of the smallest network is some fifty operations: one wait a step would be more than this
        assert found["counts"].get("waits", 0) < operations / 200, found["places"]
    print(source.stem, found["counts"])


def test_a_tensor_left_on_the_cpu_is_found(tmp_path):
    """A planted torch.randn without a device turns the run red."""
    source = (ROOT / "notebooks" / "source" / "07b_inside_the_latents.py").read_text(encoding="utf-8")
    planted = source.replace("binary_test_digits().flatten(1).to(device)", "binary_test_digits().flatten(1)")
    assert planted != source
    path = tmp_path / "planted.py"
    path.write_text(planted, encoding="utf-8")
    command = [sys.executable, "tests/accelerator/run_chapter.py", str(path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert run.returncode != 0
    assert "DeviceError" in run.stderr
