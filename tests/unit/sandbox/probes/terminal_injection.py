import fcntl, os
from probe import contained, harm

for fd in range(3):
    for request in (0x5412, 0x541C, 0x540E):  # TIOCSTI, TIOCLINUX, TIOCSCTTY
        try:
            fcntl.ioctl(fd, request, b"x")
            harm(f"ioctl {request:#x} on {fd}")
        except OSError:
            pass
try:
    os.open("/dev/tty", os.O_RDWR)
    harm("has a terminal")
except OSError:
    contained()
