"""Runs a script's text in several processes, by torchrun, from a notebook's cell."""

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from course_lib import paths

LIMIT = 240  # seconds; some seven on an idle machine
# torchrun has each word written as it is printed, and those of two processes would stand in one line
WHOLE_LINES = "import sys; sys.stdout.reconfigure(line_buffering=True, write_through=False)\n"


class LaunchError(RuntimeError):
    """The processes did not do what they were started for; the message ends with what they said."""

    def _render_traceback_(self) -> list[str]:
        return str(self).splitlines()


def torchrun(text: str, *arguments: object, processes: int = 2, survives: bool = True) -> str:
    """Run the script as ``torchrun --nproc_per_node`` would, on this machine's CPU; return what it printed, errors too.

    survives: whether the run is meant to come to its end. LaunchError where it is otherwise, and after 240 s.
    """
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "script.py")
        script.write_text(WHOLE_LINES + text, encoding="utf-8")
        launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"]
        command = [sys.executable, *launcher, str(script), *map(str, arguments)]
        try:
            done = subprocess.run(
                command, env=_environment(), timeout=LIMIT, text=True, encoding="utf-8", errors="replace",
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired as late:
            said = str(late.stdout or "")[-1500:]
            raise LaunchError(f"{processes} processes had not ended after {LIMIT} s\n{said}") from None
    if (done.returncode == 0) != survives:
        raise LaunchError(f"{processes} processes ended with status {done.returncode}\n{done.stdout[:3500]}")
    return done.stdout


def _environment() -> dict[str, str]:
    """One thread each, on the CPU, by the loopback interface: no network is needed, and no name of this machine."""
    ours = {
        "OMP_NUM_THREADS": "1",
        "COURSE_DEVICE": "cpu",
        "PYTHONPATH": str(paths.CHECKOUT),
        "PYTHONIOENCODING": "utf-8",
    }
    loopback = [name for _, name in socket.if_nameindex() if name in ("lo", "lo0")]
    if loopback:
        ours["GLOO_SOCKET_IFNAME"] = loopback[0]
    left_out = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
    return {**{name: value for name, value in os.environ.items() if name not in left_out}, **ours}
