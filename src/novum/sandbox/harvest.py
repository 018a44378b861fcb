"""Take files out of a folder that hostile code wrote in.

Covered: links of every kind, other mounts, FIFOs and devices, hard links, sparse giants, floods of files, odd
names, deep trees, JSON bombs, pickles. Nothing in the folder is followed, waited for, executed or unpickled.
Not covered: what a file says. A caller must still not trust its content.
"""

from __future__ import annotations

import json
import math
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from novum.errors import UsageError
from novum.records import Record
from novum.sandbox.launcher.kernel import open_beneath
from novum.sandbox.tree import HarvestLimits, Refusal, Walk, copy_new, folder

if TYPE_CHECKING:
    import numpy as np


__all__ = ["Harvest", "HarvestLimits", "Refusal", "harvest", "read_array", "read_bytes", "read_json"]


MOST_VALUES = 1_000_000
"""Commas and opening brackets of a JSON file, and so more than its values."""


class Harvest(Record):
    """What was taken, by name below the folder, and what was not."""

    taken: tuple[str, ...]
    refused: tuple[Refusal, ...]
    total_bytes: int


def harvest(
    src: Path, dst: Path, wanted: Callable[[str], bool] | None = None, limits: HarvestLimits | None = None
) -> Harvest:
    """Copy the regular files below `src` whose name (relative, with `/`) is `wanted` to `dst`.

    `dst` is made when missing; a file that is there already is never overwritten, nor any link followed.

    Raises:
        UsageError: `src` is not a folder, or `dst` cannot be written.
    """
    limits = limits or HarvestLimits()
    taken: list[str] = []
    total = 0
    with folder(src) as source, _target(dst) as target:
        walk = Walk(source, limits)
        for entry in walk:
            if entry.is_folder or (wanted and not wanted(entry.name)):
                continue
            if total + entry.stat.st_size > limits.total_bytes:
                walk.refuse(entry.name, f"more than {limits.total_bytes} bytes in all")
                continue
            try:
                copy_new(entry.fd, target, entry.name, 0o644, entry.stat.st_size)
            except OSError as error:
                raise UsageError(f"cannot write {dst / entry.name}", str(error), "free space") from error
            total += entry.stat.st_size
            taken.append(entry.name)
    return Harvest(
        taken=tuple(taken), refused=tuple(left.plain() for left in walk.refused), total_bytes=total
    )


def read_bytes(path: Path, max_bytes: int = 16 << 20) -> bytes:
    """The content of a regular file of at most `max_bytes`, through no link in its last part and without waiting.

    Raises:
        UsageError: it is missing, not a regular file, or too large.
    """
    try:
        with folder(path.parent) as parent:
            fd = open_beneath(parent, path.name)
            try:
                status = os.fstat(fd)
                if not stat.S_ISREG(status.st_mode):
                    raise UsageError(f"{path} is not a regular file", next_step="write a plain file there")
                with os.fdopen(os.dup(fd), "rb") as file:
                    content = file.read(max_bytes + 1)
            finally:
                os.close(fd)
    except OSError as error:
        raise UsageError(f"cannot read {path}", str(error)) from error
    if len(content) > max_bytes:
        raise UsageError(f"{path} is larger than {max_bytes} bytes", next_step="write less")
    return content


def read_json(path: Path, max_bytes: int = 16 << 20) -> Any:
    """What a JSON file says, which may be anything, NaN and infinities included.

    Raises:
        UsageError: see `read_bytes`; or it is not JSON, nested too deep, or has too many values.
    """
    content = read_bytes(path, max_bytes)
    if sum(map(content.count, (b",", b"[", b"{"))) > MOST_VALUES:  # each empty list takes 20 times its text
        raise UsageError(f"{path} holds more than {MOST_VALUES} values", next_step="write less")
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not JSON that can be read", str(error)[:200]) from error


def read_array(path: Path, max_bytes: int = 64 << 20) -> np.ndarray[Any, Any]:
    """The array of an `.npy` file of at most `max_bytes`; never an object array, which would be a pickle.

    Raises:
        UsageError: see `read_bytes`; or it is no such array.
    """
    import io

    import numpy as np

    content = read_bytes(path, max_bytes)
    if not content.startswith(b"\x93NUMPY"):
        raise UsageError(f"{path} is not a .npy file", next_step="write it with numpy.save")
    try:
        claimed = _claimed_bytes(io.BytesIO(content))
        if claimed > len(content):  # numpy would make room for it before it looks
            raise ValueError(f"its head claims {claimed} bytes, and the file has {len(content)}")
        array: np.ndarray[Any, Any] = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError, OSError, MemoryError, SyntaxError, RecursionError) as error:
        raise UsageError(f"{path} is not an array that can be read", str(error)[:200]) from error
    return array


def _claimed_bytes(file: BinaryIO) -> int:
    """How large the array is that the head of an `.npy` file speaks of.

    Raises:
        ValueError: it has no such head.
    """
    from numpy.lib import format as npy

    version = npy.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"format {version} is not known")
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, kind = read(file)
    if any(length < 0 for length in shape):
        raise ValueError(f"the shape {shape} is none")
    return math.prod(shape) * kind.itemsize


@contextmanager
def _target(path: Path) -> Iterator[int]:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make the folder {path}", str(error)) from error
    with folder(path) as fd:
        yield fd
