"""Apply changes to the files of a folder: all of them or none, and nothing outside the folder.

Nothing is written here: the new contents are returned. Files keep their line ends (CRLF stays CRLF).
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from novum.edits.changes import Change, LineRange, SearchReplace, WholeFile, lines_of
from novum.edits.matching import Match, find
from novum.edits.replies import parse_reply
from novum.errors import EditError

_MOST_FILE_BYTES = 4 << 20
_MOST_CHANGES = 500
_LONGEST_NAME = 200
"""Bytes of a file's name with its folders; no file system takes more than 255 for one part."""


class Applied(NamedTuple):
    """The new contents of the changed files, and the change as a unified diff."""

    files: dict[str, str]
    diff: str
    inexact: tuple[str, ...] = ()
    """Blocks that matched otherwise than exactly: file, line, way and similarity, for the log."""


def apply_reply(
    reply: str, folder: Path, *, editable: Collection[str], protected: Collection[str] = ()
) -> Applied:
    """Read the changes of a model's reply and apply them, as `apply` does.

    Raises:
        EditError: as `parse_reply` and `apply`.
    """
    return apply(parse_reply(reply), folder, editable=editable, protected=protected)


def apply(
    changes: Sequence[Change], folder: Path, *, editable: Collection[str], protected: Collection[str] = ()
) -> Applied:
    """Apply `changes` to the files of `folder`; nothing is written.

    `editable` are the files that may be changed. A file that does not exist may be made. A change without a
    file name is one of the only editable file.

    Raises:
        EditError: a change does not apply, is of a file that may not be changed, or they change nothing.
    """
    if len(changes) > _MOST_CHANGES:
        raise EditError(
            f"the reply makes {len(changes)} changes", f"{_MOST_CHANGES} are the most", "change less"
        )
    desk = _Desk(folder, tuple(editable), tuple(protected))
    named = [change._replace(file=desk.resolved(change.file)) for change in changes]
    for change in _ranges_last_first(named):
        desk.make(change)
    files = {name: text for name, text in desk.now.items() if text != desk.before[name]}
    for name, text in files.items():
        if _bytes_of(text) < 0:
            raise EditError(
                f"the new text of {name} is not Unicode", "it has half of a character", "write plain text"
            )
    if not files:
        raise EditError(
            "the reply changes nothing", "every file would be as it was", "make the change that was asked for"
        )
    return Applied(files, _diff(desk.before, files), tuple(desk.inexact))


def _ranges_last_first(changes: Sequence[Change]) -> list[Change]:
    """Line ranges count in the file as it was, so the last goes first; ranges that overlap are refused."""
    ranges = sorted(
        (c for c in changes if isinstance(c, LineRange)), key=lambda c: (c.file, -c.first, -c.last)
    )
    for later, earlier in pairwise(ranges):
        if later.file == earlier.file and earlier.last >= later.first:
            raise EditError(
                f"two edits of {later.file or 'the file'} change line {later.first}",
                f"lines {earlier.first} to {earlier.last} and {later.first} to {later.last}",
                "give one edit for lines that belong together",
            )
    return [*(c for c in changes if not isinstance(c, LineRange)), *ranges]


class _Desk:
    """The files under change."""

    def __init__(self, folder: Path, editable: tuple[str, ...], protected: tuple[str, ...]) -> None:
        self.folder = folder
        self.editable = editable
        self.protected = protected
        self.before: dict[str, str] = {}
        self.now: dict[str, str] = {}
        self.inexact: list[str] = []

    def make(self, change: Change) -> None:
        name = change.file
        self._open(name)
        old = self.now[name]
        if isinstance(change, WholeFile):
            self.now[name] = _with_ends_of(old, change.content)
        elif isinstance(change, LineRange):
            self.now[name] = _replaced_range(name, old, change)
        elif not change.search.strip():
            if old.strip():
                raise EditError(
                    f"a block for {name} has nothing to find, and the file exists",
                    "an empty part to find makes a new file",
                    "quote the lines that are to be replaced",
                )
            self.now[name] = change.replace
        else:
            self.now[name] = self._searched(name, old, change)

    def _searched(self, name: str, old: str, change: SearchReplace) -> str:
        lines = lines_of(old)
        bare = [_bare(line) for line in lines]
        search = [_bare(line) for line in lines_of(change.search)]
        replace = [_bare(line) for line in lines_of(change.replace)]
        near = change.line - 1 if change.line else None
        try:
            match = find(bare, search, replace, near)
        except EditError as error:
            raise EditError(f"{name}: {error.what}", error.why, error.next_step) from None
        if match.how != "exact":
            self.inexact.append(f"{name}:{match.start + 1}: {match.how}, similarity {match.similarity:.3f}")
        return _spliced(lines, match, _newline_of(old))

    def _open(self, name: str) -> None:
        """Bring a file onto the desk."""
        if name in self.now:
            return
        path = self.folder / name
        self._refuse_unsafe(name, path)
        if not path.exists():
            self.before[name] = self.now[name] = ""
            return
        if name not in self.editable:
            raise EditError(
                f"{name} may not be changed", "it is not among the editable files", self._what_may_change()
            )
        self.before[name] = self.now[name] = _read(name, path)

    def resolved(self, stated: str) -> str:
        """The file that a change means."""
        if not stated:
            if len(self.editable) == 1:
                return self.editable[0]
            raise EditError("the reply names no file for a change", "", self._what_may_change())
        if "\\" in stated or any(ord(c) < 32 for c in stated) or not 0 < _bytes_of(stated) <= _LONGEST_NAME:
            raise EditError(f"{stated[:100]!a} is no file name", "", self._what_may_change())
        pure = PurePosixPath(stated)
        if pure.is_absolute() or ".." in pure.parts or pure.as_posix() == ".":
            raise EditError(
                f"{stated!r} is outside the folder of the experiment",
                "",
                "name files relative to it, without ..",
            )
        name = pure.as_posix()
        alike = [known for known in self.editable if PurePosixPath(known).name == pure.name]
        if name not in self.editable and len(alike) == 1 and not (self.folder / name).exists():
            # The model gave a path of its own to a file that there is once.
            return name if name in self.protected else alike[0]
        return name

    def _refuse_unsafe(self, name: str, path: Path) -> None:
        parts = PurePosixPath(name).parts
        if any(part.startswith(".") for part in parts):
            raise EditError(f"{name} is a hidden file", "", self._what_may_change())
        guarded = {PurePosixPath(p).as_posix() for p in self.protected}
        if any("/".join(parts[: n + 1]) in guarded for n in range(len(parts))):
            raise EditError(f"{name} is protected", "it measures the result", self._what_may_change())
        step = self.folder
        for part in parts:
            step = step / part
            if step.is_symlink():
                raise EditError(f"{name} leads through a symbolic link", "", self._what_may_change())
        if path.exists() and not path.is_file():
            raise EditError(f"{name} is not a file", "", self._what_may_change())
        if any(parent.exists() and not parent.is_dir() for parent in path.parents if parent != self.folder):
            raise EditError(f"{name} lies below a file", "", self._what_may_change())

    def _what_may_change(self) -> str:
        return f"change one of: {', '.join(self.editable)}"


# -- text --------------------------------------------------------------------------------------------------


def _read(name: str, path: Path) -> str:
    try:
        data = path.read_bytes()
        if len(data) > _MOST_FILE_BYTES:
            raise EditError(f"{name} is larger than {_MOST_FILE_BYTES >> 20} MiB", "", "change another file")
        return data.decode()
    except UnicodeDecodeError as error:
        raise EditError(
            f"{name} is not UTF-8 text",
            f"byte {error.start} is {data[error.start]:#04x}",
            "convert it to UTF-8 first",
        ) from None
    except OSError as error:
        raise EditError(f"{name} cannot be read", str(error)) from None


def _bytes_of(text: str) -> int:
    """How many bytes `text` takes in UTF-8; -1 for half a character, which JSON can spell."""
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        return -1


def _bare(line: str) -> str:
    return line.removesuffix("\n").removesuffix("\r")


def _newline_of(text: str) -> str:
    return "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"


def _with_ends_of(old: str, new: str) -> str:
    plain = new.replace("\r\n", "\n")
    return plain.replace("\n", "\r\n") if old and _newline_of(old) == "\r\n" else plain


def _spliced(lines: Sequence[str], match: Match, newline: str) -> str:
    new = [line + newline for line in match.replacement]
    if new and match.end == len(lines) and lines and not lines[-1].endswith("\n"):
        new[-1] = new[-1].removesuffix(newline)  # the file did not end with a newline
    return "".join([*lines[: match.start], *new, *lines[match.end :]])


def _replaced_range(name: str, old: str, change: LineRange) -> str:
    lines = lines_of(old)
    if change.last > len(lines) or change.first > len(lines) + 1:
        raise EditError(
            f"{name} has {len(lines)} lines, and an edit is of lines {change.first} to {change.last}",
            "",
            "count the lines from 1",
        )
    head, tail = lines[: change.first - 1], lines[change.last :]
    if head and not head[-1].endswith("\n"):
        head[-1] += _newline_of(old)
    return "".join([*head, _with_ends_of(old, change.content), *tail])


def _diff(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    parts = []
    for name in sorted(after):
        old, new = lines_of(before[name]), lines_of(after[name])
        shown = difflib.unified_diff(old, new, f"a/{name}" if old else "/dev/null", f"b/{name}")
        parts += [
            line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in shown
        ]
    return "".join(parts)
