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


HOLD_MORE = """
import os
import shutil
import sys
held = []
def hold_more():
    try:
        held.append(open("held", "wb", buffering=0))
        os.unlink("held")
        if held[-1].write(bytes(1 << 20)) < 1 << 20:
            os._exit(1)
    except OSError:
        os._exit(1)
"""
"""For a program: hold one more MiB in a file without a name, or end with 1 when that is refused."""


def start_hidden(code):
    """Start Python from a copy that cannot be read, so that its files in /proc are closed; its process id."""
    import shutil, sys  # which most probes do without

    debian = "/usr/bin/python3.11"
    shutil.copy(debian if os.path.exists(debian) else os.path.realpath(sys.executable), "hidden")
    os.chmod("hidden", 0o111)
    pid = os.fork()
    if not pid:
        os.execv("./hidden", ["hidden", "-c", code])
    return pid


def harm_if_done(pid, text):
    """Harm if the process ends with 42."""
    status = os.waitpid(pid, 0)[1]
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) == HARM:
        harm(text)
    contained(f"status {status}")
