import os
from probe import attempt, contained, syscall

for name in ("user", "mnt", "pid", "net"):
    for pid in ("1", "self"):
        try:
            fd = os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY)
        except OSError:
            continue
        attempt(f"joined {pid}'s {name}", syscall, 308, fd, 0)
contained()
