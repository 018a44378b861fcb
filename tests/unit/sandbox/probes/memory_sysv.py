# ends: exit memory
import ctypes
from probe import FACTS, contained, harm, libc

total = 0
libc.shmat.restype = ctypes.c_void_p
for _ in range(64):
    size = FACTS["memory"] // 16
    handle = libc.shmget(0, ctypes.c_size_t(size), 0o1600)
    if handle < 0:
        break
    address = libc.shmat(handle, None, 0)
    ctypes.memset(address, 1, size)
    libc.shmdt(ctypes.c_void_p(address))
    total += size
if total > 1.5 * FACTS["memory"]:
    harm(f"{total} bytes in System V segments")
contained(f"{total} bytes")
