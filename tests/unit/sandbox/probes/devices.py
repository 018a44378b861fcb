import os, stat
from probe import attempt, contained, harm

for name, device in (("block", os.makedev(254, 0)), ("loop", os.makedev(7, 0))):
    attempt(f"made the device {name}", os.mknod, name, stat.S_IFBLK | 0o666, device)
attempt("made /dev/mem", os.mknod, "mem", stat.S_IFCHR | 0o666, os.makedev(1, 1))
allowed = {
    "null",
    "zero",
    "full",
    "random",
    "urandom",
    "fd",
    "stdin",
    "stdout",
    "stderr",
    "shm",
    "pts",
    "ptmx",
    "tty",
    "core",
    "console",
}
extra = set(os.listdir("/dev")) - allowed
if extra:
    harm(f"devices {sorted(extra)}")
for name in ("ptmx", "tty", "console"):
    attempt(f"opened {name}", os.open, f"/dev/{name}", os.O_RDWR | os.O_NOCTTY)
contained()
