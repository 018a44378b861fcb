"""Without namespaces: adopt every process that the payload leaves, and kill them all at the end.

Weaker than a namespace, whose end the kernel sees to: this process must live to do it.
"""

import _signal  # type: ignore[import-not-found]
import posix as os
import select

from . import kernel
from .confine import become_payload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .control import Control

LOOK_MS = 20


def plain(control: "Control", spec: "dict[str, Any]") -> None:
    """Run the payload as a child until it ends or the supervisor hangs up; then kill all that it started."""
    kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
    folders = [os.open(path, os.O_RDONLY | os.O_DIRECTORY) for path in (spec["work"], "/proc")]
    handle = os.pidfd_open(os.getpid())
    control.say("ready", fds=(handle, *folders))
    control.wait_go()
    for fd in (handle, *folders):
        os.close(fd)
    me = os.getpid()
    child = os.fork()
    if child == 0:
        become_payload(control, spec, parent=me)
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    status = _wait(control, child)
    left = _kill_all(me)
    if status is not None and os.WIFSIGNALED(status):
        control.say("signal", f"{os.WTERMSIG(status)} {left}")
    elif status is not None:
        control.say("exit", f"{os.WEXITSTATUS(status)} {left}")
    os._exit(0)


def _wait(control: "Control", child: int) -> int | None:
    """The payload's status, or None when the supervisor is gone or wants an end."""
    poll = select.poll()
    poll.register(control.fd, select.POLLIN | select.POLLHUP)
    while True:
        if poll.poll(LOOK_MS):
            return None
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return None
            if pid == child:
                return status
            if pid == 0:
                break


def _kill_all(root: int) -> int:
    """Kill every descendant, stopping them first so that they cannot outrun this; how many tasks there were."""
    first = -1
    while True:
        found = _descendants(root)
        if first < 0:
            first = len(found)
        if not found:
            return first
        for number in (_signal.SIGSTOP, _signal.SIGKILL):
            for pid in found:
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    continue
        _reap()


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def _descendants(root: int) -> list[int]:
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                fd = os.open(f"/proc/{name}/stat", os.O_RDONLY)
            except OSError:
                continue
            try:
                fields = os.read(fd, 4096).rpartition(b")")[2].split()
                parents[int(name)] = int(fields[1])
            except (OSError, IndexError):
                continue  # it has just ended
            finally:
                os.close(fd)
    found: list[int] = []
    level = {root}
    while level:
        level = {pid for pid, parent in parents.items() if parent in level}
        found += level
    return found
