"""Leave for new namespaces and build the room in them."""

import _struct as struct
import fcntl
import posix as os
from _socket import AF_INET, SOCK_DGRAM, socket

from . import kernel, room
from .confine import die_with_parent, run_as_init
from .init import fill, hand_over
from .main import close_all_but

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from .control import Control

ISOLATED = (
    kernel.NEWUSER
    | kernel.NEWNS
    | kernel.NEWPID
    | kernel.NEWNET
    | kernel.NEWIPC
    | kernel.NEWUTS
    | kernel.NEWCGROUP
)


def namespaces(control: "Control", spec: "dict[str, Any]") -> None:
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
    close_all_but(-1)
    os.waitpid(child, 0)
    os._exit(0)


def _process_one(control: "Control", spec: "dict[str, Any]") -> "NoReturn":
    try:
        kernel.prctl(kernel.PR_SET_PDEATHSIG, 9)
        room.detach_from_host()
        place = room.Room(spec)
        place.build()
        place.mount_proc()
        fill(control, spec, place.work_fd())
        place.protect()
        place.enter()
        close_all_but(control.fd)
        kernel.syscall("sethostname", b"sandbox", 7)
        _raise_loopback()
        hand_over(control, spec["proxy_port"])
        run_as_init(control, spec)
    except OSError as error:
        control.say("failed", str(error))
    finally:
        os._exit(70)


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
