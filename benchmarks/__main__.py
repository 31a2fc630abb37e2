"""``python benchmarks``: every timing and every record that this machine can make, one after the other.

Names choose: ``python benchmarks timings ladder``. On a machine with a GPU the timings are the GPU's and the full
budget is trained too; without one that line says so.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
HELPERS = ("__main__", "recipes", "step_times")


def main() -> None:
    """Run the chosen scripts, or all, each in a process of its own; the exit status is the number that failed."""
    known = sorted(path.stem for path in HERE.glob("*.py") if path.stem not in HELPERS)
    chosen = sys.argv[1:] or known
    unknown = [name for name in chosen if name not in known]
    if unknown:
        sys.exit(f"no benchmark {unknown[0]!r}; there are: {', '.join(known)}")
    failed = 0
    for name in chosen:
        print(f"--- {name}", flush=True)
        failed += subprocess.run([sys.executable, str(HERE / f"{name}.py")]).returncode != 0
    sys.exit(failed)


if __name__ == "__main__":
    main()
