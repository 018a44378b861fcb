"""Open a sandbox: the strongest that this machine has and that passes its self-test, or none at all.

There is no step down: `auto` tries the two default backends and refuses when neither holds. A weaker one, or
none, runs only when a person names it.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from novum import __version__
from novum.errors import NoSandbox, NovumError, SandboxError, UsageError
from novum.sandbox import Sandbox, apptainer, bubblewrap, cgroup, container, namespaces, plain, runsc
from novum.sandbox.selftest import Check, boot_id, check_backend, passed
from novum.sandbox.unsafe import Unsafe

UNSAFE = "unsafe"


class Backend(NamedTuple):
    """A way to confine a command."""

    make: Callable[[], Sandbox]
    """Raises SandboxError when the machine lacks what it needs."""
    version: Callable[[], str]
    remedy: str
    waived: frozenset[str] = frozenset()
    """Checks of the self-test that it is known to fail; such a backend is degraded and must be named."""


def _make_bubblewrap() -> Sandbox:
    program = bubblewrap.find()
    if program is None:
        raise SandboxError("bubblewrap is not installed", f"no program of root's at {bubblewrap.PLACES[0]}")
    version = bubblewrap.version(program)
    if version < bubblewrap.OLDEST:
        found = ".".join(map(str, version)) or "something else"
        raise SandboxError("bubblewrap is too old", f"0.8.0 is needed, and {program} is {found}")
    return bubblewrap.Bubblewrap(program, cgroup.find())


def _bubblewrap_version() -> str:
    program = bubblewrap.find()
    return str(bubblewrap.version(program)) if program else ""


def _make_namespaces() -> Sandbox:
    return namespaces.Namespaces(cgroup.find())


def _make_landlock() -> Sandbox:
    plain.Landlock.require()
    return plain.Landlock(cgroup.find())


def _make_outer() -> Sandbox:
    plain.Outer.require()
    return plain.Outer(cgroup.find())


def _make_container(argument: str = "") -> Sandbox:
    engine, _, image = argument.partition(":")
    if engine == apptainer.ENGINE:
        return apptainer.Apptainer(*apptainer.find(image))
    return container.Container(*container.find(argument))


def _make_runsc() -> Sandbox:
    return runsc.Runsc(runsc.find(), cgroup.find())


def _kernel() -> str:
    return os.uname().release


BACKENDS: dict[str, Backend] = {
    "bubblewrap": Backend(
        _make_bubblewrap,
        _bubblewrap_version,
        "install bubblewrap 0.8 or newer (apt install bubblewrap, dnf install bubblewrap)",
    ),
    "namespaces": Backend(
        _make_namespaces,
        _kernel,
        "allow user namespaces (sysctl user.max_user_namespaces=10000; where they exist also "
        "kernel.unprivileged_userns_clone=1 and kernel.apparmor_restrict_unprivileged_userns=0)",
    ),
    "container": Backend(
        _make_container,
        _kernel,
        f"install podman or docker and build the image: podman build -t {container.IMAGE} -f {container.RECIPE}",
    ),
    "runsc": Backend(_make_runsc, _kernel, "install runsc (gVisor) and run novum as root", runsc.WAIVED),
    "landlock": Backend(_make_landlock, _kernel, "use a kernel of 6.12 or newer", plain.WAIVED),
    "outer": Backend(
        _make_outer,
        _kernel,
        "start the container without network and secrets and with limits on memory and disk",
        plain.WAIVED | {"host files unreadable", "host files unwritable", "devices closed"},
    ),
}


def automatic() -> tuple[str, ...]:
    """The backends that `auto` tries on this system, in order."""
    return ("bubblewrap", "namespaces") if sys.platform == "linux" else ("container",)


def open_sandbox(
    backend: str = "auto", *, allow_unsafe: bool = False, cache_dir: Path | None = None
) -> Sandbox:
    """A sandbox that has passed its self-test since this machine was started.

    Args:
        backend: `auto`, or a backend by name.
        allow_unsafe: accept `unsafe`. Only for a flag that a person typed on the command line.
        cache_dir: where a passed self-test is remembered; the user's cache folder by default.

    Raises:
        NoSandbox: none passed; names each one tried, the check that failed and its remedy.
        UsageError: there is no such backend, or `unsafe` without `allow_unsafe`.
    """
    if backend == UNSAFE:
        return _open_unsafe(allow_unsafe)
    names = automatic() if backend == "auto" else (backend,)
    failures = []
    for name in names:
        entry = lookup(name)
        try:
            sandbox = entry.make()
            failed = _failed_checks(name, entry, sandbox, cache_dir)
        except NovumError as error:
            failures.append((name, f"{error.what}{': ' * bool(error.why)}{error.why}", entry.remedy))
            continue
        except OSError as error:
            failures.append((name, str(error), entry.remedy))
            continue
        if not failed:
            return sandbox
        failures.append((name, f"failed the check {failed[0].name!r} ({failed[0].detail})", entry.remedy))
    raise NoSandbox(
        "no sandbox is available, and novum runs no model-written code without one",
        "; ".join(f"{name}: {why}" for name, why, _ in failures),
        "; or ".join(f"for {name}: {remedy}" for name, _, remedy in failures),
    )


def self_test(backend: str) -> list[Check]:
    """Run the self-test of one backend now, whatever was remembered; a backend that cannot be made fails it."""
    entry = lookup(backend)
    try:
        return check_backend(entry.make(), entry.waived)
    except (NovumError, OSError) as error:
        return [Check("is available", False, str(error).replace("\n", " "))]


def lookup(name: str) -> Backend:
    """The backend of that name; `container:ENGINE:IMAGE` names both (or one) of them too.

    Raises:
        UsageError: there is none.
    """
    base, _, argument = name.partition(":")
    if base == "container" and argument:
        return BACKENDS[base]._replace(make=functools.partial(_make_container, argument))
    if name not in BACKENDS:
        raise UsageError(
            f"there is no sandbox backend {name!r}",
            next_step=f"choose one of auto, {', '.join(BACKENDS)}",
        )
    return BACKENDS[name]


def _open_unsafe(allowed: bool) -> Sandbox:
    if allowed:
        return Unsafe()
    raise UsageError(
        "running without a sandbox must be asked for on the command line",
        "no setting, environment variable or file can switch the sandbox off",
        "type --unsafe-no-sandbox, if you trust every line that a model may write",
    )


def _failed_checks(name: str, entry: Backend, sandbox: Sandbox, cache_dir: Path | None) -> list[Check]:
    memory = _Memory(cache_dir)
    key = f"{boot_id()} {name} {entry.version()} {os.geteuid()} {sandbox.level} {_source_hash()}"
    if memory.has(key):
        return []
    checks = check_backend(sandbox, entry.waived)
    if passed(checks):
        memory.add(key)
    return [check for check in checks if check.needed and not check.ok]


class _Memory:
    """Which self-tests have passed, in a file of the user's. A file that cannot be used costs only time."""

    def __init__(self, folder: Path | None) -> None:
        if folder is None:
            from platformdirs import user_cache_path

            folder = user_cache_path("novum")
        # Without a home folder its name is relative; then nothing is remembered, rather than in any folder.
        self._path = (folder if folder.is_absolute() else Path(os.devnull)) / "sandbox-selftest.json"

    def has(self, key: str) -> bool:
        """Whether it passed."""
        return key in self._known()

    def add(self, key: str) -> None:
        """Remember it, and forget those of earlier boots."""
        boot = key.split(" ")[0]
        known = [old for old in self._known() if old.startswith(boot)]
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            new = self._path.with_suffix(f".{os.getpid()}")
            new.write_text(json.dumps([*known, key]))
            new.chmod(0o600)
            new.replace(self._path)

    def _known(self) -> list[str]:
        """What is remembered; a file that another user could have written says nothing."""
        try:
            status = self._path.lstat()
            if status.st_uid != os.geteuid() or status.st_mode & 0o022:
                return []
            known = json.loads(self._path.read_text())
        except (OSError, ValueError):
            return []
        return [key for key in known if isinstance(key, str)] if isinstance(known, list) else []


@functools.cache
def _source_hash() -> str:
    """Changes with this package, so that another version is tested anew."""
    digest = hashlib.sha256(__version__.encode())
    for path in sorted(Path(__file__).resolve().parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
