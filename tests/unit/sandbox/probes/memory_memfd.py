# ends: exit memory
import os
from probe import FACTS, contained, harm

total = 0
files = []
try:
    for i in range(64):
        files.append(os.memfd_create("x"))
        total += os.write(files[-1], bytes(FACTS["memory"] // 16))
except OSError:
    pass
if total > 1.5 * FACTS["memory"]:
    harm(f"{total} bytes in nameless memory files")
contained(f"{total} bytes")
