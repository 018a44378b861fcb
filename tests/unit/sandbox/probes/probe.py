"""What every probe needs. A probe ends with `harm` (exit 42) or `contained` (exit 0), or is stopped by a limit
that its first line names: `# ends: timeout`. Anything else means that the probe itself is broken."""

import ctypes
import json
import os

HARM = 42
with open("facts.json") as _file:
    FACTS = json.load(_file)
libc = ctypes.CDLL(None, use_errno=True)


def harm(text):
    print("HARM:", text, flush=True)
    os._exit(HARM)


def contained(text="refused"):
    print("CONTAINED:", text, flush=True)
    os._exit(0)


def attempt(what, action, *arguments, **named):
    """Harm if `action` works."""
    try:
        result = action(*arguments, **named)
    except (OSError, ValueError, ImportError) as error:
        return error
    harm(f"{what} ({result!r:.80})")


def syscall(number, *arguments):
    """A raw system call; raises OSError."""
    ctypes.set_errno(0)
    result = libc.syscall(
        ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    )
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def read(path, size=1 << 16):
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        return os.read(fd, size)
    finally:
        os.close(fd)


def write(path, data=b"novum was here"):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
    try:
        return os.write(fd, data)
    finally:
        os.close(fd)
