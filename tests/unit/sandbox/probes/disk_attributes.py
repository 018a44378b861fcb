# ends: exit disk memory
import os
from probe import FACTS, contained, harm

total = 0
for i in range(FACTS["inodes"] // 2):
    open(f"f{i}", "w").close()
    try:
        for j in range(64):
            os.setxattr(f"f{i}", f"user.a{j}", bytes(32 << 10))
            total += 32 << 10
    except OSError:
        pass
if total > FACTS["memory"] + 2 * FACTS["disk"]:
    harm(f"{total} bytes in attributes of files")
contained(f"{total} bytes")
