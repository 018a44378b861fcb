from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from sandboxes import BACKENDS, LIMITS, Run

from novum.records import Limits, Outcome
from novum.sandbox import Access, Sandbox
from novum.sandbox.open import open_sandbox
from novum.sandbox.policy import python_paths


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(params=BACKENDS)
def sandbox(request: pytest.FixtureRequest, cache: Path) -> Sandbox:
    """Each default backend, forced by name. Nothing is skipped: a machine that cannot run one fails here."""
    opened = open_sandbox(request.param, cache_dir=cache)
    assert opened.name == request.param
    return opened


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def python(sandbox: Sandbox, work: Path) -> Run:
    """Run a Python program in the sandbox, on the interpreter of these tests."""

    def run(program: str, *arguments: str, limits: Limits = LIMITS, **access: object) -> Outcome:
        shown = Access(readonly=(*python_paths(Path(sys.executable)), *access.pop("readonly", ())), **access)  # type: ignore
        outcome = sandbox.run([sys.executable, "-B", "-c", program, *arguments], work, limits, shown)
        assert outcome.backend == sandbox.name
        return outcome

    return run


@pytest.fixture
def as_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root: it tests what root and another user do to each other")
