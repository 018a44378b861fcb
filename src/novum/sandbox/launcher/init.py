"""Process 1 of the sandbox."""

import posix as os
from _socket import AF_INET, AF_NETLINK, SOCK_RAW, SOCK_STREAM, socket

from . import kernel
from .confine import run_as_init

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .control import Control


NETLINK_SOCK_DIAG = 4


def init(control: "Control", spec: "dict[str, Any]") -> None:
    """Be process 1 of a room that bubblewrap built."""
    kernel.prctl(kernel.PR_SET_PDEATHSIG, 9)
    if spec["fill"]:
        fill(control, spec, os.open("/work", os.O_RDONLY | os.O_DIRECTORY))
    hand_over(control, spec["proxy_port"])
    run_as_init(control, spec)


def fill(control: "Control", spec: "dict[str, Any]", work: int) -> None:
    """Let the supervisor put the inputs into the work folder."""
    control.say("fill", fds=(work,))
    control.wait_go()
    os.close(work)


def hand_over(control: "Control", proxy_port: int) -> None:
    """Give the supervisor what it needs to watch and to end this namespace, and a socket for a proxy in it."""
    shared = [os.open(path, os.O_RDONLY | os.O_DIRECTORY) for path in ("/work", "/proc", "/tmp", "/dev/shm")]
    handle = os.pidfd_open(1)
    shared.append(socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG).detach())
    if proxy_port:
        listener = socket(AF_INET, SOCK_STREAM)
        listener.bind(("127.0.0.1", proxy_port))
        listener.listen(64)
        shared.append(listener.detach())
    control.say("ready", fds=(handle, *shared))
    for fd in (handle, *shared):
        os.close(fd)
