import os
from probe import FACTS, contained, harm

total = 0
for folder in (
    "/tmp",
    "/dev/shm",
    "/var/tmp",
    "/run",
    "/run/lock",
    "/dev",
    "/dev/mqueue",
    "/",
    "/root",
    "/home",
    "/usr",
    "/sys/fs/cgroup",
):
    try:
        with open(os.path.join(folder, "filler"), "wb", buffering=0) as file:
            for _ in range(4096):
                total += file.write(bytes(1 << 20))
    except OSError:
        pass
if total > 2 * FACTS["memory"]:
    harm(f"{total} bytes outside the work folder")
contained(f"{total} bytes")
