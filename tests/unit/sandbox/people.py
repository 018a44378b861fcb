"""Run a program of these tests as an ordinary user, from places that any user can read."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STRANGER = 54321
"""A uid that nobody has."""
NEEDED = (
    "pydantic",
    "pydantic_core",
    "annotated_types",
    "typing_extensions",
    "typing_inspection",
    "platformdirs",
)
HERE = Path(__file__).resolve().parent


def interpreter() -> str:
    """A Python of this version that lies outside root's home."""
    candidates = [getattr(sys, "_base_executable", ""), "/usr/bin/python3", "/usr/local/bin/python3"]
    for path in filter(None, candidates):
        ask = [path, "-I", "-c", "import sys; print(*sys.version_info[:2])"]
        try:
            done = subprocess.run(
                ask, user=STRANGER, group=STRANGER, extra_groups=[], env={}, capture_output=True
            )
        except OSError:
            continue
        if done.returncode == 0 and done.stdout.split() == [b"%d" % part for part in sys.version_info[:2]]:
            return path
    raise RuntimeError(
        f"an ordinary user has no Python {sys.version_info[0]}.{sys.version_info[1]} on this machine"
    )


@contextmanager
def settled() -> Iterator[Path]:
    """A folder that anybody can read, with novum's sandbox, what it needs, and these tests' programs."""
    with tempfile.TemporaryDirectory(prefix="novum-stranger-") as name:
        folder = Path(name)
        package = folder / "novum"
        package.mkdir()
        source = Path(importlib.import_module("novum").__file__ or "").parent
        for file in ("__init__.py", "errors.py", "records.py"):
            shutil.copy(source / file, package)
        shutil.copytree(source / "sandbox", package / "sandbox")
        for module in NEEDED:
            spec = importlib.util.find_spec(module)
            assert spec and spec.origin
            origin = Path(spec.origin)
            if origin.name == "__init__.py":
                shutil.copytree(origin.parent, folder / module)
            else:
                shutil.copy(origin, folder)
        shutil.copytree(HERE / "probes", folder / "probes")
        shutil.copy(HERE / "suite.py", folder)
        subprocess.run(["/bin/chmod", "-R", "a+rX", folder], check=True)
        yield folder


def run_as_stranger(folder: Path, *arguments: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    """Run Python there with `arguments`, as an ordinary user with nothing in the environment but the path."""
    return subprocess.run(
        [interpreter(), "-B", *arguments],
        user=STRANGER,
        group=STRANGER,
        extra_groups=[],
        cwd="/",
        env={"PYTHONPATH": str(folder), "HOME": "/nonexistent", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=timeout,
    )
