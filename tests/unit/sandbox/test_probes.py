"""Every probe, in each default backend, as this user and (under root) as an ordinary one too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import people
import pytest
from suite import names

HERE = Path(__file__).resolve().parent
CONTROLS = {"control_works", "net_own_loopback"}


def _rows(done: subprocess.CompletedProcess[str]) -> list[list[str]]:
    assert done.returncode == 0, done.stderr
    rows: list[list[str]] = json.loads(done.stdout)
    return rows


def _assert_contained(rows: list[list[str]]) -> None:
    assert [row[0] for row in rows] == names()
    assert [row for row in rows if row[1] != "contained"] == []


def test_the_suite_covers_what_it_must() -> None:
    assert len(names()) >= 80
    assert set(names()) >= CONTROLS


@pytest.mark.parametrize("backend", ["namespaces", "bubblewrap", "in-place"])
def test_all_probes_are_contained(backend: str) -> None:
    program = [sys.executable, str(HERE / "suite.py"), backend]
    _assert_contained(_rows(subprocess.run(program, capture_output=True, text=True, timeout=300)))


@pytest.mark.parametrize("backend", ["namespaces", "bubblewrap", "in-place"])
def test_all_probes_are_contained_for_an_ordinary_user(backend: str, as_root: None) -> None:
    with people.settled() as folder:
        _assert_contained(_rows(people.run_as_stranger(folder, str(folder / "suite.py"), backend)))


@pytest.mark.parametrize("probe", ["control_works", "net_own_loopback"])
def test_a_suite_that_cannot_start_is_not_called_contained(probe: str, tmp_path: Path) -> None:
    # The same programs without a sandbox: the controls hold, and what reads a secret is called harm.
    program = [sys.executable, "-c", _UNCONFINED, probe, "home_secrets"]
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    rows = _rows(subprocess.run(program, capture_output=True, text=True, timeout=60, env=environment))
    assert [row[1] for row in rows] == ["contained", "harm"]


_UNCONFINED = """
import json, sys
from suite import run_all
from novum.sandbox.unsafe import Unsafe
print(json.dumps(run_all(Unsafe(), sys.argv[1:])))
"""
