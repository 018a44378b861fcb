import os, shutil, stat
from probe import attempt, contained, harm, syscall

shutil.copy("/usr/bin/env", "tool")
for mode in (0o4755, 0o2755, 0o6755):
    attempt(f"chmod {mode:o}", os.chmod, "tool", mode)
    fd = os.open("tool", os.O_RDONLY)
    attempt(f"fchmod {mode:o}", os.fchmod, fd, mode)
    attempt(f"fchmodat2 {mode:o}", syscall, 452, -100, b"/work/tool\0", mode, 0)
    attempt(f"open with {mode:o}", os.open, f"new{mode}", os.O_CREAT | os.O_WRONLY, mode)
    attempt(f"mknod with {mode:o}", os.mknod, f"node{mode}", stat.S_IFREG | mode)
    attempt(f"creat with {mode:o}", syscall, 85, b"made\0", mode)
found = [name for name in os.listdir(".") if os.lstat(name).st_mode & 0o6000]
harm(f"{found}") if found else contained()
