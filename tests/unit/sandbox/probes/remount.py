import ctypes
from probe import contained, harm, libc

tries = [
    (b"none", path, b"", 32 | 4096)
    for path in (b"/", b"/usr", b"/etc/passwd", b"/proc/sys", b"/work/protected.txt")
]
tries += [(b"none", b"/work", b"tmpfs", 0), (b"proc", b"/work", b"proc", 0), (b"/work", b"/usr", b"", 4096)]
for source, target, kind, flags in tries:
    if libc.mount(source, target, kind, ctypes.c_ulong(flags), None) == 0:
        harm(f"mounted at {target}")
for path in (b"/proc/sys", b"/proc/kcore", b"/work", b"/work/protected.txt", b"/usr"):
    if libc.umount2(path, 2) == 0:
        harm(f"unmounted {path}")
contained()
