"""What the sandbox costs and how exact its limits are. Ratios are of runs beside each other, in one process.

    python benchmarks/sandbox.py [--repeats 15] [--torch PYTHON]

Bounds: start and end of `python -c pass` at most 25 ms (bubblewrap) and 45 ms (namespaces) over bare, median of 20;
work inside at bare speed within 5%; 1 GB of files or memory stopped at 1.1 of an exact limit, 1.6 of a watched one.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from novum.records import Limits
from novum.sandbox import Access, Sandbox
from novum.sandbox.open import open_sandbox
from novum.sandbox.policy import python_paths

BACKENDS = ("bubblewrap", "namespaces")
BOUND_MS = {"bubblewrap": 25.0, "namespaces": 45.0}
LIMITS = Limits(wall_s=300, memory_bytes=2 << 30, disk_bytes=1 << 30, file_bytes=1 << 40)
TIMED = "import time; t = time.perf_counter()\n{}\nprint(time.perf_counter() - t)"
WORK = {
    "cpu": "s = 0\nfor i in range(8_000_000): s += i * i",
    "numpy": "import numpy as n\na = n.ones((900, 900))\nfor _ in range(12): a @ a",
    "disk": "f = open('x', 'wb')\nfor _ in range(256): f.write(bytes(1 << 20))\nf.close()",
    "files": "import os\nfor i in range(4000):\n    open(f'f{i}', 'w').close(); os.stat(f'f{i}')",
    "forks": "import os\nfor _ in range(200):\n    p = os.fork()\n    os._exit(0) if p == 0 else os.waitpid(p, 0)",
}
TRAINING = """
import torch, torch.multiprocessing as mp
def train(rank):
    torch.manual_seed(rank); torch.set_num_threads(1)
    m = torch.nn.Sequential(torch.nn.Linear(256, 256), torch.nn.ReLU(), torch.nn.Linear(256, 1))
    o = torch.optim.SGD(m.parameters(), 0.01)
    for _ in range(150):
        o.zero_grad(); m(torch.randn(256, 256)).square().mean().backward(); o.step()
if __name__ == "__main__":
    import time
    t = time.perf_counter(); mp.spawn(train, nprocs=2); print(time.perf_counter() - t)
"""


class Bench:
    """One backend beside the bare machine."""

    def __init__(self, sandbox: Sandbox, python: Path) -> None:
        self._sandbox = sandbox
        self._python = python
        self._access = Access(readonly=python_paths(python), environment={"USER": "novum"})

    def bare(self, arguments: list[str]) -> str:
        """Run Python outside."""
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [self._python, *arguments], cwd=folder, capture_output=True, text=True, check=True
            )
        return done.stdout

    def inside(self, arguments: list[str], limits: Limits = LIMITS) -> str:
        """Run Python inside; it must end well."""
        with tempfile.TemporaryDirectory() as folder:
            outcome = self._sandbox.run([str(self._python), *arguments], Path(folder), limits, self._access)
        if not outcome.ok:
            raise SystemExit(f"{outcome.message}\n{outcome.stderr}")
        return outcome.stdout

    def start_and_end(self, repeats: int) -> tuple[float, float]:
        """Median milliseconds of `python -c pass`, bare and inside."""
        pairs = [
            (_timed(self.bare, ["-c", "pass"]), _timed(self.inside, ["-c", "pass"])) for _ in range(repeats)
        ]
        return 1000 * statistics.median(a for a, _ in pairs), 1000 * statistics.median(b for _, b in pairs)

    def ratio(self, program: str, repeats: int) -> float:
        """Median of inside / bare of the seconds that `program` prints, in interleaved pairs."""
        inside, bare = [], []
        for turn in range(repeats):
            order = [(self.inside, inside), (self.bare, bare)]
            for run, times in order if turn % 2 else reversed(order):
                times.append(float(run(["-c", program]).split()[-1]))
        return statistics.median(inside) / statistics.median(bare)

    def overshoot_disk(self) -> float:
        """Part of the limit that was reached when a program writes for ever."""
        with tempfile.TemporaryDirectory() as folder:
            program = "for i in range(4096): open(f'{i}', 'wb').write(bytes(1 << 20))"
            limits = LIMITS.model_copy(update={"disk_bytes": 1 << 30})
            outcome = self._sandbox.run(
                [str(self._python), "-c", program], Path(folder), limits, self._access
            )
        return outcome.peak_disk_bytes / limits.disk_bytes

    def overshoot_memory(self) -> float:
        """The same for memory, in two processes."""
        with tempfile.TemporaryDirectory() as folder:
            program = "import os; os.fork(); x = []\nwhile True: x.append(bytearray(b'1') * (1 << 22))"
            limits = LIMITS.model_copy(update={"memory_bytes": 1 << 30})
            outcome = self._sandbox.run(
                [str(self._python), "-c", program], Path(folder), limits, self._access
            )
        return outcome.peak_memory_bytes / limits.memory_bytes

    def at_once(self, count: int) -> float:
        """Seconds until so many sandboxes, started together, have all ended well."""
        threads = [threading.Thread(target=self.inside, args=(["-c", "pass"],)) for _ in range(count)]
        return _timed(lambda: ([t.start() for t in threads], [t.join() for t in threads]))


def _timed(action: Callable[..., object], *arguments: object) -> float:
    began = time.perf_counter()
    action(*arguments)
    return time.perf_counter() - began


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--torch", type=Path, help="an interpreter that has torch")
    options = parser.parse_args()
    for name in BACKENDS:
        bench = Bench(open_sandbox(name), Path(sys.executable))
        bare, inside = bench.start_and_end(20)
        over = inside - bare
        verdict = "ok" if over <= BOUND_MS[name] else "ABOVE"
        print(
            f"{name:12} start and end  {bare:6.1f} ms bare, +{over:.1f} ms ({verdict}, at most {BOUND_MS[name]:g})"
        )
        for label, program in WORK.items():
            print(f"{name:12} {label:14} {bench.ratio(TIMED.format(program), options.repeats):6.3f} of bare")
        print(f"{name:12} disk limit     {bench.overshoot_disk():6.3f} of the limit")
        print(f"{name:12} memory limit   {bench.overshoot_memory():6.3f} of the limit")
        print(f"{name:12} 20 at once     {bench.at_once(20):6.2f} s")
        if options.torch:
            training = Bench(open_sandbox(name), options.torch)
            print(f"{name:12} torch training {_training(training, options.repeats):6.3f} of bare")


def _training(bench: Bench, repeats: int) -> float:
    script = f"import subprocess, sys; open('m.py', 'w').write({TRAINING!r})\n"
    script += (
        "print(subprocess.run([sys.executable, 'm.py'], capture_output=True, text=True, check=True).stdout)"
    )
    return bench.ratio(script, repeats)


if __name__ == "__main__":
    main()
