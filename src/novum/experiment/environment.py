"""The Python environment that runs execute in: which interpreter, what it may read, and what it is."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from novum.sandbox.policy import python_paths
from novum.template import Template
from novum.template.installing import site_packages, template_python


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

    Raises:
        MissingTool: what the template requires is not installed.
    """
    python = template_python(template)
    # Threads that wait without spinning: beside other programs, spinning makes small networks many times slower.
    threads = {"OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "PASSIVE"}
    variables = {"MPLBACKEND": "Agg", "PYTHONHASHSEED": "0", **threads}
    data = data_folder()
    if data:
        variables["NOVUM_DATA"] = str(data[0])
    return Environment(
        python=python,
        readonly=(*python_paths(python), *data),
        variables=variables,
        facts=recorded or _facts(template, python),
    )


def data_folder() -> tuple[Path, ...]:
    """The folder of data that runs may read, `$NOVUM_DATA`; none when it is not set."""
    named = os.environ.get("NOVUM_DATA", "")
    return (Path(named).resolve(),) if named else ()


def _facts(template: Template, python: Path) -> dict[str, Any]:
    # novum's own packages, or those of the template's environment, which has the same version of Python.
    path = sys.path if python == Path(sys.executable) else [str(site_packages(python))]
    installed = {d.name.lower(): d.version for d in metadata.distributions(path=path)}
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "machine": platform.machine(),
        "system": platform.system(),
        "packages": {
            name: installed.get(name.lower(), "unknown") for name in sorted(template.requirement_names())
        },
    }
