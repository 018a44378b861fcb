# ends: exit memory
import ctypes, os
from probe import FACTS, contained, harm, libc


class Attributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_long) for name in ("flags", "most", "size", "now", *"abcd")]


total = 0
for i in range(2000):
    attributes = Attributes(0, 10, 8192)
    queue = libc.syscall(240, f"q{i}".encode(), os.O_RDWR | os.O_CREAT, 0o600, ctypes.byref(attributes))
    if queue < 0:
        break
    for _ in range(10):
        libc.syscall(242, queue, bytes(8192), ctypes.c_size_t(8192), 0, None)
        total += 8192
if total > 1.5 * FACTS["memory"]:
    harm(f"{total} bytes in message queues")
contained(f"{total} bytes")
