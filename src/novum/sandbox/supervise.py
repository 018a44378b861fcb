"""One run from its start to the proof of its end.

The supervisor holds the clock, the limits and the kill; nothing of them is inside. A run has ended when process 1
of its namespace has: the kernel lets that end only after every other process in it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from novum.errors import ContainmentError, SandboxError, UsageError
from novum.records import Limits
from novum.sandbox import cgroup, starting
from novum.sandbox.alarm import Alarm
from novum.sandbox.ending import Ending, OnOutput, Output, name_by_complaint, name_signal, out_of_time
from novum.sandbox.gpu import GpuMemory
from novum.sandbox.launcher.control import DESCRIPTORS
from novum.sandbox.proxy import Proxy
from novum.sandbox.watch import INTERVAL_S, Broken, Handles, Meter, Usage, too_many

START_S = 30.0
"""Longest time for a sandbox to be built."""
END_S = 3.0
"""Longest time for everything in it to be dead after the kill."""


class Chain(NamedTuple):
    """From a plain process to the payload: the first program, and what the launcher that it leads to is told."""

    command: Sequence[str]
    specification: dict[str, Any]
    descriptors: Sequence[int] = ()
    """What the first program is to inherit too; closed when it has."""


@dataclass
class Launch:
    """How to start one run."""

    chain: Callable[[int], Chain]
    """Made when the descriptor of the launcher's file is known."""
    limits: Limits
    work: Path | None
    """The work folder, when the payload works in it itself and not in a copy in memory."""
    fill: Callable[[int], None]
    """Puts the inputs into the work folder."""
    outer_uid: int | None = None
    """The payload's uid outside, when it must be mapped for the launcher (under root)."""
    group: cgroup.Group | None = None
    spawn_uid: int | None = None
    """The uid that the first program gets, when it must not be root."""
    cancelled: threading.Event = field(default_factory=threading.Event)
    """Set by another thread to end the run."""
    graceful: bool = False
    """Whether the launcher is asked to kill everything before it is killed itself."""
    on_output: OnOutput | None = None
    gpus: tuple[GpuMemory, int | None] | None = None
    """The GPUs of the run, and how much of their memory it may take."""
    proxy: Proxy | None = None
    """The way to the hosts that it may reach."""


def execute(launch: Launch, after: Callable[[int], None] | None = None) -> Ending:
    """Run it; `after` gets the work folder when everything in the sandbox is dead.

    Raises:
        SandboxError: it could not be built; the payload never started.
        UsageError: the command cannot be started in it.
        ContainmentError: not everything in it died.
    """
    run = _Run(launch)
    try:
        run.start()
        run.watch()
    finally:
        try:
            run.end()
            if run.handles and run.started and after:
                after(run.handles.work)
        finally:
            run.close()
    return run.ending()


class _Run:
    def __init__(self, launch: Launch) -> None:
        self.handles: Handles | None = None
        self.started = False
        self._launch = launch
        self._why = ""
        self._output = Output(launch.limits.output_bytes, launch.on_output)
        self._broken: Broken | None = None
        self._met: Broken | None = None
        self._written = 0
        self._status: tuple[str, int] | None = None
        self._meter: Meter | None = None
        self._began = time.monotonic()
        self._ended = self._began
        self._control, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with contextlib.ExitStack() as undo:
            undo.callback(self._control.close)
            with far:
                self._process = self._spawn(far.fileno())
                self._give_streams()
            undo.pop_all()

    def _spawn(self, control: int) -> subprocess.Popen[bytes]:
        group = self._launch.group
        with contextlib.ExitStack() as given, starting.new_file() as sent:
            command, told, descriptors = self._launch.chain(sent.fileno())
            doors = group.doors() if group else []
            for fd in (*descriptors, *doors):
                given.callback(os.close, fd)
            self._told = told | {"control": control, "grouped": group is not None, "doors": doors}
            starting.write(sent, self._told)
            inherited = (control, sent.fileno(), *descriptors, *doors)
            return starting.start(command, inherited, self._launch.spawn_uid)

    def _give_streams(self) -> None:
        """Let the payload open its own streams by name, as /dev/stdout, though it runs as another user."""
        if self._launch.outer_uid is not None:
            for fd in self._streams():
                os.fchown(fd, self._launch.outer_uid, self._launch.outer_uid)

    # -- start ---------------------------------------------------------------------------------------

    def start(self) -> None:
        """Build the sandbox and start the payload."""
        self._control.settimeout(START_S)
        try:
            while not self.started:
                self._answer(*self._receive())
        except TimeoutError:
            raise SandboxError("the sandbox was not ready in time", f"after {START_S:g} s") from None
        except OSError as error:
            raise SandboxError(
                "the sandbox cannot be built", f"{error}. {self._complaint()}".strip()
            ) from error

    def _answer(self, word: str, text: str, fds: list[int]) -> None:
        match word:
            case "join":
                self._add_to_group(fds[0])
                self._send(b"go")
            case "map":
                self._map_ids()
                self._send(b"go")
            case "fill":
                self._launch.fill(fds[0])
                os.close(fds[0])
                self._send(b"go")
            case "ready":
                if self._launch.work:  # seen from here nothing is mounted in it
                    os.close(fds[1])
                    fds[1] = os.open(self._launch.work, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
                if self._launch.proxy:
                    self._launch.proxy.serve(fds.pop())
                self._watch_over(Handles(fds[0], fds[1], fds[2], tuple(fds[3:5]), *fds[5:6]))
                self._send(b"go")
            case "started":
                self._begin()
            case _:
                raise SandboxError("the sandbox cannot be built", text or self._complaint())

    def _add_to_group(self, process: int) -> None:
        pid = _pid_of(process)
        os.close(process)
        if self._launch.group:
            self._launch.group.add(pid)

    def _watch_over(self, handles: Handles) -> None:
        launch = self._launch
        self.handles = handles
        launcher = self._process.pid if launch.graceful else None
        in_memory = launch.work is None
        self._meter = Meter(handles, launch.limits, launch.group, in_memory, launcher, launch.gpus)

    def _begin(self) -> None:
        """The payload is about to be executed; only a failure to do so is told after."""
        self._began = time.monotonic()
        self.started = True

    def _send(self, message: bytes) -> None:
        self._control.send(message)

    def _receive(self) -> tuple[str, str, list[int]]:
        message, fds, _, _ = socket.recv_fds(self._control, 1 << 16, DESCRIPTORS)
        if not message:
            raise SandboxError("the sandbox cannot be built", self._complaint() or "its launcher ended")
        word, _, text = message.decode(errors="replace").partition(" ")
        return word, text, list(fds)

    def _complaint(self) -> str:
        """What the programs that build the sandbox said."""
        assert self._process.stderr
        os.set_blocking(self._process.stderr.fileno(), False)
        with contextlib.suppress(OSError):
            return (self._process.stderr.read() or b"").decode(errors="replace").strip()[-500:]
        return ""

    def _map_ids(self) -> None:
        outer = self._launch.outer_uid
        inner = self._told["uid"]
        text = f"0 0 1\n{inner} {outer} 1\n"
        for name in ("uid_map", "gid_map"):
            Path(f"/proc/{self._process.pid}/{name}").write_text(text)

    # -- watch ---------------------------------------------------------------------------------------

    def watch(self) -> None:
        """Read its output and hold its limits until it ends or breaks one."""
        assert self.handles and self._meter
        poll = select.poll()
        streams = self._streams()
        for fd in streams:
            os.set_blocking(fd, False)
            poll.register(fd, select.POLLIN)
        poll.register(self.handles.process_one, select.POLLIN)
        deadline = self._began + self._launch.limits.wall_s
        with Alarm(deadline, self._stop) as alarm:
            while not self._broken and not self._launch.cancelled.is_set():
                events = poll.poll(INTERVAL_S * 1000)
                for fd, _ in events:
                    if fd in streams and not self._output.read(streams[fd], fd):
                        poll.unregister(fd)
                if self._output.complains():
                    self._met = self._meter.met() or self._met
                if any(fd == self.handles.process_one for fd, _ in events):
                    break
                alarm.set()  # not before the first wait, which is all that a short run has
                self._broken = (
                    out_of_time(deadline, self._launch.limits) or self._output.broken() or self._meter.look()
                )
        if alarm.rang:
            self._broken = self._broken or out_of_time(deadline, self._launch.limits)

    def _streams(self) -> dict[int, str]:
        assert self._process.stdout and self._process.stderr
        return {self._process.stdout.fileno(): "stdout", self._process.stderr.fileno(): "stderr"}

    # -- end -----------------------------------------------------------------------------------------

    def end(self) -> None:
        """Kill everything in it and wait for the proof that it is dead.

        Raises:
            ContainmentError: it is not.
        """
        self._ended = time.monotonic()
        if self._meter and self.started and not self._broken:
            with contextlib.suppress(OSError):
                self._broken = self._meter.judge(ended=True)
        dead = True
        if self.handles and self._launch.graceful:
            self._stop()
            _ends(self.handles.process_one, END_S)
        if self.handles:
            self._kill()
            dead = _ends(self.handles.process_one, END_S)
        self._stop_launcher()
        if not dead:
            raise ContainmentError(
                "processes outlived their sandbox (FAILED_CONTAINMENT)",
                f"process 1 of the sandbox was still there {END_S:g} s after it was killed",
                "look for processes in state D, and restart the machine before the study goes on",
            )
        self._output.drain(self._streams())
        self._read_status()

    def _stop(self) -> None:
        """Begin to end it."""
        if self._launch.graceful:
            self._control.shutdown(socket.SHUT_WR)
        else:
            self._kill()

    def _kill(self) -> None:
        assert self.handles
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.handles.process_one, signal.SIGKILL)

    def _stop_launcher(self) -> None:
        self._process.kill()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            raise ContainmentError("the sandbox's launcher does not die (FAILED_CONTAINMENT)") from None
        if self._launch.group:
            self._launch.group.kill()

    def _read_status(self) -> None:
        """The launcher's last words, which are in the line's buffer."""
        self._control.settimeout(0)
        with contextlib.suppress(OSError, SandboxError):
            while True:
                word, text, fds = self._receive()
                for fd in fds:
                    os.close(fd)
                if word in ("exit", "signal") and not self._status:
                    number, left, *written = map(int, text.split())
                    self._status = (word, number)
                    self._written = sum(written)
                    self._broken = self._broken or too_many(left + 1, self._launch.limits)
                elif word == "unstartable":
                    code, _, why = text.partition(" ")
                    self._status = (word, int(code))
                    self._why = why

    def close(self) -> None:
        """Give everything back."""
        if self._launch.proxy:
            self._launch.proxy.close()
        for stream in (self._process.stdout, self._process.stderr):
            if stream:
                stream.close()
        if self.handles:
            for fd in self.handles.descriptors():
                os.close(fd)
            self.handles = None
        self._control.close()

    def ending(self) -> Ending:
        """How it ended, when it has."""
        ending = Ending(wall_s=self._ended - self._began, peak=self._meter.peak if self._meter else Usage())
        ending.stdout, ending.stderr = self._output.content("stdout"), self._output.content("stderr")
        ending.written_bytes = self._written
        word, number = self._status or ("", 0)
        if word == "unstartable":
            raise _unstartable(self._told["argv"][0], number, self._why)
        if word == "exit" and number == 0:
            ending.ended, ending.code = "exit", 0
        elif self._broken:
            ending.ended, ending.reason = self._broken
        elif word == "exit":
            ending.ended, ending.code = "exit", number
            name_by_complaint(ending, self._met, self._launch.limits)
        elif word == "signal":
            name_signal(ending, number, self._launch.limits)
        else:
            ending.reason = "its process 1 ended without saying how"
        return ending


def _unstartable(program: str, number: int, why: str) -> UsageError:
    """The error for a program that execve(2) refused with `number`, 0 when it could not even be called."""
    what = f"the command {program!r} cannot be started in the sandbox"
    if number == errno.E2BIG:
        what = "the command or its environment is too long for the sandbox"
        return UsageError(what, why, "put long text into a file of the work folder")
    if number == 0:
        return UsageError(what, why, "mend its arguments, or the names and values of the environment")
    shown = "the sandbox shows the system, what the caller named, and /work; name the program's folder"
    return UsageError(what, why, shown)


def _pid_of(process: int) -> int:
    """The number of a process as this one sees it, whatever its own namespace."""
    for line in Path(f"/proc/self/fdinfo/{process}").read_text().splitlines():
        if line.startswith("Pid:"):
            return int(line.split()[1])
    raise OSError("the kernel does not say which process a descriptor stands for")


def _ends(process: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(process, select.POLLIN)
    return bool(poll.poll(seconds * 1000))
