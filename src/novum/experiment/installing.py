"""Make the Python environment that a template's runs need, in the sandbox.

The installer sees the package indexes that this machine's pip is set to, through a proxy, and nothing else of the
network or of the disk. Only wheels are installed, so nothing of a package runs while it is built. The environment is
there whole or not at all. Not covered: what a package does when a run imports it, for which runs have their sandbox.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from novum.errors import MissingTool, NovumError
from novum.records import Limits, Outcome
from novum.sandbox import Access, Sandbox
from novum.sandbox.limits import default_limits
from novum.sandbox.policy import python_paths
from novum.template import Template
from novum.template.installing import environment_folder, python_of

DEFAULT_INDEX = "https://pypi.org/simple"
FILES_OF = {"pypi.org": ("files.pythonhosted.org",), "download.pytorch.org": ("download-r2.pytorch.org",)}
"""Hosts to which an index sends for its files."""
PASSED_ON = (
    *("index-url", "extra-index-url", "find-links", "no-index", "trusted-host", "cert", "timeout"),
    *("default-timeout", "retries", "pre"),
)
"""Settings of pip that the installer needs."""
PLACES = ("index-url", "extra-index-url", "find-links", "cert")
PORTS = {"https": 443, "http": 80}
LONGEST_S = 3600.0
LARGEST_BYTES = 32 << 30
MOST_FILES = 500_000
# What is downloaded goes to a folder of the work folder, for /tmp inside is small.
SCRIPT = """set -e
mkdir .downloads; export TMPDIR="$PWD/.downloads"
"$0" -m venv --copies .
./bin/python -m pip install --quiet --only-binary=:all: --no-cache-dir "$@"
rm -rf .downloads"""


class Index(NamedTuple):
    """Where packages come from."""

    variables: dict[str, str]
    """What the installer is told, as environment variables of pip."""
    hosts: tuple[str, ...]
    readonly: tuple[Path, ...]
    """Folders and files on this machine that are named there."""


def install(
    template: Template, sandbox: Sandbox, *, tell: Callable[[str], None], again: bool = False
) -> Path:
    """Make the environment of `template` and return its interpreter; one that is there is kept unless `again`.

    Raises:
        MissingTool: the packages cannot be had.
        SandboxError: there is no sandbox to install them in.
    """
    target = environment_folder(template)
    if python_of(target).exists() and not again:
        return python_of(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    # An interpreter finds its packages from where it is, so a finished environment can be renamed.
    building = Path(tempfile.mkdtemp(prefix=".building-", dir=target.parent))
    try:
        tell(f"making {target} with {', '.join(template.requirements)}")
        outcome = _install(template, sandbox, building)
        if not outcome.ok:
            raise _failure(template, outcome)
        if not (building / "lib64").exists():  # which some systems' Python looks in, and no link comes back
            (building / "lib64").symlink_to("lib")
        building.chmod(0o755)
        shutil.rmtree(target, ignore_errors=True)
        building.rename(target)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return python_of(target)


def _install(template: Template, sandbox: Sandbox, building: Path) -> Outcome:
    index = package_index(_pip_settings())
    own = Path(sys.executable)
    access = Access(
        readonly=(*python_paths(own), *index.readonly), hosts=index.hosts, environment=index.variables
    )
    command = ["/bin/sh", "-c", SCRIPT, str(own), *template.requirements]
    return sandbox.run(command, building, _limits(building), access)


def _limits(building: Path) -> Limits:
    room = min(shutil.disk_usage(building).free * 3 // 4, LARGEST_BYTES)
    return default_limits(LONGEST_S).model_copy(
        update={"disk_bytes": room, "file_bytes": room, "inodes": MOST_FILES}
    )


def _failure(template: Template, outcome: Outcome) -> NovumError:
    said = f"{outcome.stderr.strip()[-1500:]}\n{outcome.message}".strip()
    return MissingTool(
        f"the environment of the template {template.name!r} cannot be made",
        said,
        "check the requirements in template.toml, the network and the free disk space",
    )


def package_index(settings: dict[str, str]) -> Index:
    """What `settings` of pip (by their long names, several values separated by white space) mean for a sandbox."""
    found = {name: value for name, value in settings.items() if name in PASSED_ON}
    places = [place for name in PLACES for place in found.get(name, "").split()]
    if "index-url" not in found and found.get("no-index", "").lower() not in ("1", "true", "yes", "on"):
        places.append(DEFAULT_INDEX)
    variables = {f"PIP_{name.upper().replace('-', '_')}": value for name, value in found.items()}
    quiet = {"PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_CONFIG_FILE": os.devnull}
    return Index(
        variables | quiet, tuple(dict.fromkeys(_hosts(places))), tuple(dict.fromkeys(_folders(places)))
    )


def _hosts(places: Iterable[str]) -> Iterable[str]:
    for place in places:
        url = urlsplit(place)
        if url.scheme in PORTS and url.hostname:
            port = url.port or PORTS[url.scheme]
            yield f"{url.hostname}:{port}"
            yield from (f"{name}:{port}" for name in FILES_OF.get(url.hostname, ()))


def _folders(places: Iterable[str]) -> Iterable[Path]:
    for place in places:
        url = urlsplit(place)
        if url.scheme not in ("", "file"):
            continue
        path = Path(unquote(url.path)).absolute()
        if path.exists():
            # The pages of an index in a folder name files beside it.
            yield path.parent if path.name == "simple" else path


def _pip_settings() -> dict[str, str]:
    """The settings of this machine's pip, those of the environment before those of files; none without pip."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in done.stdout.splitlines():
        key, _, value = line.partition("=")
        section, _, name = key.rpartition(".")
        if section in found:
            found[section][name] = str(ast.literal_eval(value))
    return {name: value for part in found.values() for name, value in part.items()}
