from probe import contained, harm, libc, syscall

for flag in (0x10000000, 0x20000, 0x20000000, 0x40000000, 0x8000000, 0x4000000, 0x2000000, 0x80, 0x10020000):
    if libc.unshare(flag) == 0:
        harm(f"unshare {flag:#x}")
    try:
        if flag == 0x80:  # clone takes it for a signal
            continue
        pid = syscall(56, flag | 17, 0, 0, 0, 0)  # clone
        if pid == 0:
            import os

            os._exit(0)
        harm(f"clone {flag:#x}")
    except OSError:
        pass
contained()
