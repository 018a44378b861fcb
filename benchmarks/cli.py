"""How long the command line takes to answer, beside a bare interpreter on the same machine.

    .venv/bin/python benchmarks/cli.py [REPEATS]

Prints the median seconds of `python -c pass`, `novum --help` and `novum doctor`, and fails when a goal is missed
(help 0.4 s, doctor 3 s).
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

NOVUM = str(Path(sys.executable).with_name("novum"))
COMMANDS: dict[str, tuple[list[str], float | None]] = {
    "python -c pass": ([sys.executable, "-c", "pass"], None),
    "novum --help": ([NOVUM, "--help"], 0.4),
    "novum doctor": ([NOVUM, "doctor"], 3.0),
}
"""What is run, and its goal in seconds."""


def seconds(command: list[str]) -> float:
    """Wall time of one run; what it prints and how it exits do not matter here."""
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return time.perf_counter() - start


def main(repeats: int) -> int:
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(repeats):  # interleaved, so that a slow minute of the machine hits all alike
        for name, (command, _goal) in COMMANDS.items():
            times[name].append(seconds(command))
    bare = statistics.median(times["python -c pass"])
    missed = False
    for name, (_, goal) in COMMANDS.items():
        median = statistics.median(times[name])
        missed |= goal is not None and median > goal
        goal_text = "" if goal is None else f"  goal {goal} s: {'met' if median <= goal else 'MISSED'}"
        print(f"{name:16} {median:6.3f} s  {median / bare:5.1f} x bare{goal_text}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 9))
