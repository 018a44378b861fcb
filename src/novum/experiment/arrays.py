"""The arrays of an .npz file that a run left, without pickles and within a size."""

from __future__ import annotations

import io
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from novum.errors import UsageError
from novum.sandbox.harvest import read_array, read_bytes

if TYPE_CHECKING:
    import numpy as np

_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError, KeyError)
"""What zipfile raises for archives that are broken or encrypted."""


def read_arrays(path: Path, most_bytes: int) -> Iterator[np.ndarray[Any, Any]]:
    """The arrays of an `.npz` file of at most `most_bytes`, packed and unpacked; parts that are none are left out.

    Raises:
        UsageError: it cannot be read, is no archive, or is too large.
    """
    content = read_bytes(path, most_bytes)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive, tempfile.TemporaryDirectory() as scratch:
            members = archive.infolist()
            if sum(member.file_size for member in members) > most_bytes:
                raise UsageError(f"{path} unpacks to more than {most_bytes} bytes", next_step="write less")
            part = Path(scratch) / "part.npy"
            for member in (m for m in members if m.compress_type in _PACKED):
                part.write_bytes(archive.read(member))
                try:
                    yield read_array(part, most_bytes)
                except UsageError:
                    continue
    except _BROKEN as error:
        raise UsageError(f"{path} is not an archive of arrays", str(error)[:200]) from error
