import fcntl, os, struct
from probe import FACTS, attempt, contained, syscall

# Space beyond the end of a file is reserved in one call and is no part of its size, so RLIMIT_FSIZE does not see it.
fd = os.open("reserved", os.O_RDWR | os.O_CREAT)
number = {"x86_64": 285, "aarch64": 47}[os.uname().machine]
length = 4 * FACTS["disk"]
for mode in (1, 0x11):  # KEEP_SIZE; with ZERO_RANGE
    attempt(f"reserved four times the limit (mode {mode})", syscall, number, fd, mode, 0, length)
for request in (0x40305828, 0x4030582A, 0x40305839):
    space = struct.pack("=hh4xqqiI16x", 0, 0, 0, length, 0, 0)
    attempt(f"reserved four times the limit ({request:x})", fcntl.ioctl, fd, request, space)
contained()
