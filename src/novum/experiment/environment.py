"""The Python environment that runs execute in: which interpreter, what it may read, and what it is."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from novum.sandbox.policy import python_paths
from novum.template import Template


@dataclass(frozen=True)
class Environment:
    """An interpreter and its packages, as a run sees them."""

    python: Path
    readonly: tuple[Path, ...]
    variables: dict[str, str]
    facts: dict[str, Any]
    """What is recorded with each run: Python, platform, versions of the required packages."""

    @property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps(self.facts, sort_keys=True).encode()).hexdigest()[:16]


def environment_for(template: Template, recorded: dict[str, Any] | None = None) -> Environment:
    """The environment of `template`'s runs.

    `recorded` are the facts that the study began with: a resumed or replayed study keeps them, so that the
    identity of its recorded runs stays the same.
    """
    python = Path(sys.executable)
    return Environment(
        python=python,
        readonly=python_paths(python),
        variables={"MPLBACKEND": "Agg", "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "2"},
        facts=recorded or _facts(template),
    )


def _facts(template: Template) -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "machine": platform.machine(),
        "system": platform.system(),
        "packages": {name: _version(name) for name in sorted(template.requirement_names())},
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "missing"
