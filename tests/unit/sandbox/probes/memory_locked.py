import ctypes, mmap
from probe import FACTS, contained, harm, libc

size = 128 << 20
area = mmap.mmap(-1, size)
if libc.mlock(ctypes.c_void_p(ctypes.addressof(ctypes.c_char.from_buffer(area))), ctypes.c_size_t(size)) == 0:
    harm("128 MiB locked in memory")
contained()
