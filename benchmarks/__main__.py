"""``python benchmarks``: every timing and every record that this machine can make, one after the other.

Names choose: ``python benchmarks attention/timings gan``; a wing's name stands for all of its scripts. On a machine
with a GPU the timings are the GPU's and the full budgets are trained too; without one that line says so.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
HELPERS = ("attention/language_recipes", "attention/ladder_step_times", "gan/networks")


def scripts() -> list[str]:
    """Return the names of all scripts that write a record: 'attention/ladder' and so on."""
    names = [path.relative_to(HERE).with_suffix("").as_posix() for path in sorted(HERE.glob("*/*.py"))]
    return [name for name in names if name not in HELPERS]


def main() -> None:
    """Run the chosen scripts, or all, each in a process of its own; the exit status is the number that failed."""
    known = scripts()
    chosen = []
    for asked in sys.argv[1:]:
        found = [name for name in known if asked in (name, name.split("/")[0])]
        if not found:
            sys.exit(f"no benchmark {asked!r}; there are: {', '.join(known)}")
        chosen += found
    failed = 0
    for name in chosen or known:
        print(f"--- {name}", flush=True)
        module = "benchmarks." + name.replace("/", ".")
        failed += subprocess.run([sys.executable, "-m", module], cwd=HERE.parent).returncode != 0
    sys.exit(failed)


if __name__ == "__main__":
    main()
