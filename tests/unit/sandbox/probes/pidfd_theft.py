import os
from probe import contained, syscall, harm

for pid in (1, os.getppid() or 1):
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        continue
    for fd in range(10):
        try:
            syscall(438, handle, fd, 0)
            harm(f"took descriptor {fd} of {pid}")
        except OSError:
            pass
contained()
