# ends: exit memory
import ctypes, mmap, time
from probe import FACTS, contained, harm, libc

# One page read in each 2 MiB needs a page of tables and holds none of its own: the zero page is shared.
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
step, want = 2 << 20, 4 * FACTS["memory"] // 4096
noreserve = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000
area = libc.mmap(None, want * step, mmap.PROT_READ, noreserve, -1, 0)
if area in (None, ctypes.c_void_p(-1).value):
    contained("no such address space")
libc.madvise(ctypes.c_void_p(area), ctypes.c_size_t(want * step), 15)  # no huge pages
for i in range(want):
    ctypes.string_at(area + i * step, 1)
time.sleep(0.5)
with open("/proc/self/status") as file:
    tables = next(int(line.split()[1]) for line in file if line.startswith("VmPTE"))
if tables * 1024 > 1.5 * FACTS["memory"]:
    harm(f"{tables} KiB of page tables")
contained(f"{tables} KiB of page tables")
