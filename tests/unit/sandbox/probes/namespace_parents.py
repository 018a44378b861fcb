import fcntl, os
from probe import attempt, contained

get_userns, get_parent = 0xB701, 0xB702
for name in ("user", "pid", "net", "mnt", "ipc", "uts", "cgroup"):
    try:
        fd = os.open(f"/proc/self/ns/{name}", os.O_RDONLY)
    except OSError:
        continue
    attempt(f"the parent of {name}", fcntl.ioctl, fd, get_parent)
    if name == "user":
        attempt("the owner of the user namespace", fcntl.ioctl, fd, get_userns)
        continue
    try:
        owner = fcntl.ioctl(fd, get_userns)
    except OSError:
        continue
    attempt(f"the parent of the owner of {name}", fcntl.ioctl, owner, get_parent)
attempt(
    "set a clock of its own",
    lambda: os.write(os.open("/proc/self/timens_offsets", os.O_WRONLY), b"boottime 9 0"),
)
contained()
