"""How the launcher comes to be: as which user, and what it is sent.

That is its own code and what it is to do, in a file that is in no file system. So nothing of it need be shown in the
room, where it could not keep its bytecode either.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.machinery
import importlib.util
import marshal
import os
import pkgutil
import subprocess
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from novum.errors import SandboxError
from novum.sandbox import launcher
from novum.sandbox.launcher import kernel
from novum.sandbox.launcher.boot import PACKAGE
from novum.sandbox.policy import own_python


def launcher_command(sent: int) -> list[str]:
    """The launcher's command line, outside any virtual environment; `sent` is the descriptor of its file."""
    python, _ = own_python()
    return [str(python), "-I", "-S", "-c", launcher.BOOT, str(sent)]


def new_file() -> BinaryIO:
    """An empty file to write to, for one launcher."""
    return open(os.memfd_create("launcher"), "w+b")  # noqa: PTH123 - it has no path


def write(file: BinaryIO, specification: dict[str, Any]) -> None:
    """Fill it, and go back to its beginning, from where the launcher reads."""
    first, others = _program()
    file.write(first + others + marshal.dumps(specification))
    file.seek(0)


def start(command: Sequence[str], descriptors: Sequence[int], uid: int | None) -> subprocess.Popen[bytes]:
    """Start the first program with these descriptors, as another user when `uid` is one.

    Raises:
        SandboxError: it cannot be started.
    """
    try:
        with _as_user(uid):
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={},
                cwd="/",
                pass_fds=descriptors,
                start_new_session=True,
            )
    except OSError as error:
        raise SandboxError("the sandbox's launcher cannot be started", str(error)) from error


@contextlib.contextmanager
def _as_user(uid: int | None) -> Iterator[None]:
    """Make this thread another user, which what it starts meanwhile is for good; then root again.

    Only its saved uid stays 0, and execve(2) forgets that one. `subprocess` changes the user too, but in a copy of this
    whole process, which takes longer than all that is done here to start a sandbox.
    """
    if uid is None:
        yield
        return
    kernel.become_for_now(uid)
    try:
        yield
    finally:
        kernel.become_for_now(0)


@functools.cache
def _program() -> tuple[bytes, bytes]:
    """The code of `boot`, and that of all modules by name."""
    names = ["", *(f".{module.name}" for module in pkgutil.iter_modules(launcher.__path__))]
    modules = {PACKAGE + name: marshal.dumps(_code(launcher.__name__ + name)) for name in names}
    return modules.pop(f"{PACKAGE}.boot"), marshal.dumps(modules)


def _code(name: str) -> Any:
    spec = importlib.util.find_spec(name)
    assert spec and isinstance(spec.loader, importlib.machinery.SourceFileLoader)
    return spec.loader.get_code(name)
