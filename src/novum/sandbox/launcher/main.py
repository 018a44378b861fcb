"""The launcher's entry, and how each kind of backend gets from a plain process to the payload.

namespaces   a parent that leaves for new namespaces, and the process 1 that it forks
init         (inside bubblewrap) be process 1
plain        (degraded backends) no namespaces; see there
"""

from __future__ import annotations

import fcntl
import os
import struct
from _socket import AF_INET, SOCK_DGRAM, socket

from . import kernel, room
from .confine import die_with_parent, run_as_init
from .control import Control
from .plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` costs 10 ms to import
    from collections.abc import Callable
    from typing import Any, NoReturn

ISOLATED = (
    kernel.NEWUSER
    | kernel.NEWNS
    | kernel.NEWPID
    | kernel.NEWNET
    | kernel.NEWIPC
    | kernel.NEWUTS
    | kernel.NEWCGROUP
)


def main(fd: int) -> NoReturn:
    """Do what the supervisor at the other end of `fd` says."""
    control = Control(fd)
    try:
        spec = control.specification()
        _close_all_but(fd)
        MODES[spec["mode"]](control, spec)
    except OSError as error:
        control.say("failed", str(error))
    finally:
        os._exit(70)


def namespaces(control: Control, spec: dict[str, Any]) -> None:
    """Leave for new namespaces, then fork their process 1 and wait for it."""
    privileged = os.geteuid() == 0
    kernel.unshare(ISOLATED)
    if privileged:
        control.say("map")  # two ranges can only be mapped from outside
        control.wait_go()
    else:
        _map_self(spec["uid"], spec["outer_uid"], spec["outer_gid"])
    die_with_parent(spec["parent"])  # only now: new credentials clear it
    child = os.fork()
    if child == 0:
        _process_one(control, spec)
    _close_all_but(-1)
    os.waitpid(child, 0)
    os._exit(0)


def _process_one(control: Control, spec: dict[str, Any]) -> NoReturn:
    try:
        kernel.prctl(kernel.PR_SET_PDEATHSIG, 9)
        room.detach_from_host()
        place = room.Room(spec)
        place.build()
        _fill(control, spec, place.work_fd())
        place.protect()
        place.enter()
        _close_all_but(control.fd)
        kernel.syscall("sethostname", b"sandbox", 7)
        _raise_loopback()
        _hand_over(control)
        run_as_init(control, spec)
    except OSError as error:
        control.say("failed", str(error))
    finally:
        os._exit(70)


def init(control: Control, spec: dict[str, Any]) -> None:
    """Be process 1 of a room that bubblewrap built."""
    kernel.prctl(kernel.PR_SET_PDEATHSIG, 9)
    if spec["fill"]:
        _fill(control, spec, os.open("/work", os.O_RDONLY | os.O_DIRECTORY))
    _hand_over(control)
    run_as_init(control, spec)


MODES: dict[str, Callable[[Control, dict[str, Any]], None]] = {
    "namespaces": namespaces,
    "init": init,
    "plain": plain,
}


def _fill(control: Control, spec: dict[str, Any], work: int) -> None:
    """Let the supervisor put the inputs into the work folder."""
    control.say("fill", fds=(work,))
    control.wait_go()
    os.close(work)


def _hand_over(control: Control) -> None:
    """Give the supervisor what it needs to watch and to end this namespace."""
    folders = [os.open(path, os.O_RDONLY | os.O_DIRECTORY) for path in ("/work", "/proc", "/tmp", "/dev/shm")]
    handle = os.pidfd_open(1)
    control.say("ready", fds=(handle, *folders))
    control.wait_go()
    for fd in (handle, *folders):
        os.close(fd)


def _map_self(uid: int, outer_uid: int, outer_gid: int) -> None:
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {outer_uid} 1"),
        ("gid_map", f"{uid} {outer_gid} 1"),
    ):
        fd = os.open(f"/proc/self/{name}", os.O_WRONLY)
        os.write(fd, text.encode())
        os.close(fd)


def _raise_loopback() -> None:
    set_flags, up_and_running = 0x8914, 0x41
    probe = socket(AF_INET, SOCK_DGRAM)
    fcntl.ioctl(probe.fileno(), set_flags, struct.pack("16sH22x", b"lo", up_and_running))
    probe.close()


def _close_all_but(keep: int) -> None:
    """Close every descriptor above the standard three but `keep`."""
    last = 1 << 20
    os.closerange(3, max(keep, 3))
    os.closerange(max(keep, 2) + 1, last)
