"""The append-only event log of a study: record, read, replay.

One JSON object a line, flushed and fsynced before `append` returns. The first line is a header with the
format's version. A last line that a power cut tore is dropped with a warning; damage anywhere else is an
error, for then something other than an interrupted write has changed the record.

One process writes at a time: the log holds a lock on its file from `open` to `close`.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path
from typing import Any, NamedTuple

from novum.errors import StudyError

FORMAT = "novum-events-1"

KINDS: dict[str, str] = {
    "log_opened": "Header: the format's version.",
    "log_reopened": "Another process goes on with the log; the time before it was nobody's work.",
    "study_created": "Template, idea source, model, profile, seed, budget, resolved settings, versions.",
    "study_resumed": "The study goes on in another process; what was changed for it.",
    "phase_started": "A phase begins (again, after a resume).",
    "phase_finished": "A phase ended; its seconds outside and inside model calls, runs and LaTeX.",
    "model_call": "One model call: step, request hash, prompt, reply, tokens, cost, time.",
    "model_failed": "A model call that gave no reply, with the error; lost replies count at their worst case.",
    "step_answered": "A step got a valid answer from the model.",
    "step_defaulted": "A step took its documented default, and why.",
    "search": "One question put to the literature, with what each source said.",
    "safety": "The safety screen's verdict on a topic, an idea or code; who overruled it.",
    "approval": "What a person answered when asked to approve.",
    "idea_dropped": "An idea that was set aside for its novelty verdict, with the verdict.",
    "edit_applied": "A change of the code that was accepted, with its commit.",
    "edit_refused": "A change of the code that was not applied, and why.",
    "edit_judged": "A second opinion on whether a change does what its plan says.",
    "run_finished": "One execution in the sandbox: identity, status, outcome.",
    "question": "Hypothesis, primary metric and comparison, fixed before run 1, with their hash.",
    "replanned": "The plan after a run: continue, revise, answered or abandon, with the reason.",
    "latex": "One LaTeX compilation: engine, seconds, errors.",
    "sentence_dropped": "A sentence that was taken out of the paper, and why.",
    "citation": "A work picked to support a sentence, or refused.",
    "figure": "One figure: file, source, or why it is not there.",
    "warning": "Something that a reader of the log should know.",
    "study_finished": "The study ended: share of steps answered by the model, totals.",
}
"""Every kind of event and what it tells."""


class Event(NamedTuple):
    """One line of the log. `time` is seconds since 1970 (UTC)."""

    kind: str
    time: float
    data: dict[str, Any]


class LogContent(NamedTuple):
    """What a log file holds. `torn` is True when a torn last line was dropped; `valid_bytes` ends before it."""

    events: list[Event]
    torn: bool
    valid_bytes: int


def read_events(path: Path) -> LogContent:
    """Read a log.

    Raises:
        StudyError: the file is missing, damaged before its last line, or of another format.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise StudyError(f"cannot read the event log {path}", str(error)) from error
    events: list[Event] = []
    valid = 0
    lines = raw.split(b"\n")
    for number, line in enumerate(lines, start=1):
        # The last piece has no newline after it: it is empty, or torn.
        if number == len(lines):
            return LogContent(_checked(path, events), torn=bool(line), valid_bytes=valid)
        try:
            events.append(_decode(line))
        except (ValueError, KeyError, TypeError) as error:
            if number == len(lines) - 1 and not lines[-1]:
                return LogContent(_checked(path, events), torn=True, valid_bytes=valid)
            raise StudyError(
                f"the event log {path} is corrupt at line {number}",
                f"{type(error).__name__}: {error}",
                "restore the file from a copy; the runs in runs/ are not affected",
            ) from error
        valid += len(line) + 1
    raise AssertionError("bytes.split returns at least one piece")


def _decode(line: bytes) -> Event:
    entry = json.loads(line)
    return Event(str(entry["kind"]), float(entry["time"]), dict(entry["data"]))


def _encode(event: Event) -> bytes:
    line = json.dumps(event._asdict(), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return line.encode() + b"\n"


def _checked(path: Path, events: list[Event]) -> list[Event]:
    if not events:
        return events
    found = events[0].data.get("format") if events[0].kind == "log_opened" else None
    if found != FORMAT:
        raise StudyError(
            f"the event log {path} has format {found!r}",
            f"this version of novum reads {FORMAT!r}",
            "open it with the version of novum that wrote it (see study.toml)",
        )
    return events


class EventLog:
    """A log that is open for writing. Thread-safe; one process at a time.

    `listeners` are called with each event after it is on disk (the live view is one).
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        """Open or create the log at `path`, drop a torn last line, and take its lock.

        Raises:
            StudyError: another process has the log open, or the file is corrupt or not writable.
        """
        self.path = path
        self.listeners: list[Callable[[Event], None]] = []
        self.dropped_torn_line = False
        self._clock = clock
        self._mutex = threading.Lock()
        self._file = self._open_locked()
        try:
            content = read_events(path)
        except StudyError:
            self._file.close()
            raise
        self._events = content.events
        if content.torn:
            self.dropped_torn_line = True
            self._file.truncate(content.valid_bytes)
        self._file.seek(0, os.SEEK_END)
        # Written before the first event of this process, so that who only reads the log leaves it as it is.
        self._reopened = bool(self._events)
        if not self._events:
            self.append("log_opened", format=FORMAT)
        if content.torn:
            self.append("warning", message="the last line of the event log was torn and has been dropped")

    def _open_locked(self) -> FileIO:
        try:
            # Unbuffered: what a full disk refused must not be written later by a buffer.
            file = self.path.open("ab+", buffering=0)
        except OSError as error:
            raise StudyError(
                f"cannot write the event log {self.path}",
                str(error),
                "check that the workspace is writable and the disk is not full",
            ) from error
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            raise StudyError(
                f"the study {self.path.parent.name!r} is in use by another process",
                "its event log is locked",
                "wait for that process to end, or stop it, and run `novum resume` then",
            ) from error
        return file

    def append(self, kind: str, /, **data: Any) -> Event:
        """Write one event and return it when it is on disk. `kind` is one of `KINDS`."""
        if kind not in KINDS:
            raise ValueError(f"unknown kind of event {kind!r}")
        with self._mutex:
            event = Event(kind, round(self._clock(), 3), data)
            new = [Event("log_reopened", event.time, {}), event] if self._reopened else [event]
            self._write(b"".join(_encode(each) for each in new))
            self._reopened = False
            self._events += new
        for listener in self.listeners:
            listener(event)
        return event

    def note(self, kind: str, /, **data: Any) -> None:
        """Append the event unless the log already holds the same one.

        A resumed or replayed study walks its finished steps again; facts about them are noted once.
        """
        data = json.loads(json.dumps(data, allow_nan=False))
        if not any(event.data == data for event in self.events(kind)):
            self.append(kind, **data)

    def _write(self, line: bytes) -> None:
        start = self._file.seek(0, os.SEEK_END)
        try:
            written = 0
            while written < len(line):
                written += self._file.write(line[written:])
            os.fsync(self._file.fileno())
        except OSError as error:
            # Leave no half line behind, so that the log is whole for `novum resume`.
            os.ftruncate(self._file.fileno(), start)
            raise StudyError(
                f"cannot write the event log {self.path}",
                str(error),
                "free some disk space, then run `novum resume`; everything before this is kept",
            ) from error

    def events(self, *kinds: str) -> Iterator[Event]:
        """The events so far, all or only those of `kinds`, oldest first."""
        with self._mutex:
            snapshot = tuple(self._events)
        return (event for event in snapshot if not kinds or event.kind in kinds)

    def last(self, kind: str, /, **match: Any) -> Event | None:
        """The newest event of `kind` whose data has all of `match`."""
        found = None
        for event in self.events(kind):
            if all(event.data.get(key) == value for key, value in match.items()):
                found = event
        return found

    def close(self) -> None:
        """Release the lock. Idempotent."""
        self._file.close()

    def __enter__(self) -> EventLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
