import os
from probe import FACTS, attempt, contained

# A file without a name gets one elsewhere; a file that is open gets a second one here.
fd = os.open("/work", os.O_TMPFILE | os.O_RDWR, 0o600)
for folder in (FACTS["outside"], FACTS["data"], "/usr/bin", "/etc", "/tmp"):
    attempt(
        f"linked into {folder}", os.link, f"/proc/self/fd/{fd}", f"{folder}/novum-probe", follow_symlinks=True
    )
for path in ("/etc/passwd", "/usr/bin/env", FACTS["data"] + "/numbers.txt", "protected.txt"):
    shown = os.open(path, os.O_RDONLY)
    attempt(f"linked {path}", os.link, f"/proc/self/fd/{shown}", "second", follow_symlinks=True)
contained()
