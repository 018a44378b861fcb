"""The self-test's program: it runs inside the sandbox, tries things, and prints what it saw as JSON.

Needs nothing but the standard library. Its one argument is the path of a secret outside.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import socket
import sys

SETTINGS = ("kernel/core_pattern", "vm/overcommit_ratio", "kernel/hostname", "user/max_user_namespaces")
DEVICES = (
    "/dev/mem",
    "/dev/kmsg",
    "/dev/sda",
    "/dev/vda",
    "/dev/loop-control",
    "/dev/fuse",
    "/dev/kvm",
    "/dev/tty",
)
NEW_USER_NAMESPACE = 0x10000000


def opens(path: str, flags: int) -> bool:
    """Whether a file can be opened."""
    try:
        os.close(os.open(path, flags | os.O_NONBLOCK))
    except OSError:
        return False
    return True


def writes(path: str) -> bool:
    """Whether something can be written there."""
    return opens(path, os.O_WRONLY | os.O_CREAT)


def status() -> dict[str, str]:
    """What the kernel says of this process."""
    with open("/proc/self/status") as file:  # noqa: PTH123 - this program imports little
        return {key: value.strip() for key, _, value in (line.partition(":") for line in file)}


def environment() -> list[str]:
    """The names in the environment of every process that can be seen."""
    names: set[str] = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:  # noqa: PTH123
                pairs = file.read().split(b"\0")
        except OSError:
            continue
        names |= {pair.partition(b"=")[0].decode(errors="replace") for pair in pairs if pair}
    return sorted(names)


def routes() -> list[str]:
    """Interfaces with an IPv4 route."""
    try:
        with open("/proc/net/route") as file:  # noqa: PTH123
            return sorted({line.split()[0] for line in file.readlines()[1:]})
    except OSError:
        return []


def connects() -> bool:
    """Whether there is a way to an address outside (of a net that is kept for documentation; nothing is sent)."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))
    except OSError:
        return False
    return True


def leaves_traps(secret: str) -> None:
    """Leave what a careless reader of the results would follow, or wait for."""
    try:
        os.symlink(secret, "trap-link")
        os.mkfifo("trap-fifo")
    except OSError:
        return


def inherited() -> list[int]:
    """Open files beside its three streams."""
    found = []
    for fd in range(3, 256):
        try:
            os.fstat(fd)
        except OSError:
            continue
        found.append(fd)
    return found


def main() -> None:
    """Look, and tell."""
    secret = sys.argv[1]
    outside = ("/usr/novum", "/etc/novum", "/novum", "/dev/novum", os.path.dirname(secret) + "/novum")
    libc = ctypes.CDLL(None, use_errno=True)
    seen = {
        "inherited": inherited(),
        "uids": sorted({*os.getresuid(), *os.getresgid()}),
        "status": status(),
        "routes": routes(),
        "connected": connects(),
        "canary": opens(secret, os.O_RDONLY),
        "settings": [name for name in SETTINGS if opens(f"/proc/sys/{name}", os.O_WRONLY)],
        "devices": [path for path in DEVICES if opens(path, os.O_RDONLY)],
        "environment": environment(),
        "processes": sum(name.isdigit() for name in os.listdir("/proc")),
        "wrote": [path for path in outside if writes(path)] + ["protected"] * writes("protected.txt"),
        "nproc": resource.getrlimit(resource.RLIMIT_NPROC)[0],
        "unshared": libc.unshare(NEW_USER_NAMESPACE) == 0,
    }
    leaves_traps(secret)
    with open("result.txt", "w") as file:  # noqa: PTH123
        file.write("ok")
    print(json.dumps(seen))  # noqa: T201 - the program's result


main()
