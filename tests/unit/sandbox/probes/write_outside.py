import os
from probe import FACTS, attempt, contained, write

folders = [
    "/",
    "/usr",
    "/usr/bin",
    "/usr/lib",
    "/usr/local",
    "/etc",
    "/etc/ssl/certs",
    "/var",
    "/var/lib",
    "/root",
    "/home",
    "/opt",
    "/bin",
    "/lib",
    "/run",
    "/dev",
    "/proc",
    "/sys",
    FACTS["outside"],
    FACTS["home"],
]
for folder in folders:
    attempt(f"wrote in {folder}", write, os.path.join(folder, "novum-probe"))
for path in ("/etc/passwd", "/etc/hosts", "/etc/ld.so.cache", "/usr/bin/env"):
    attempt(f"opened {path} for writing", os.open, path, os.O_WRONLY)
contained()
