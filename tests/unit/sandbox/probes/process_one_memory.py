import os
from probe import attempt, contained, read

for path in ("/proc/1/mem", "/proc/1/environ", "/proc/1/maps", "/proc/1/syscall", "/proc/1/stack"):
    try:
        if read(path):
            attempt(path, lambda: "read")
    except OSError:
        pass
attempt("list /proc/1/fd", os.listdir, "/proc/1/fd")
attempt("list /proc/1/root", os.listdir, "/proc/1/root/")
attempt("list /proc/1/cwd", os.listdir, "/proc/1/cwd/")
contained()
