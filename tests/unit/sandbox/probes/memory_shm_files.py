# ends: exit memory
import os
from probe import FACTS, contained, harm

total = 0
try:
    for i in range(64):
        with open(f"/dev/shm/block{i}", "wb", buffering=0) as file:
            total += file.write(bytes(FACTS["memory"] // 16))
except OSError:
    pass
if total > 1.5 * FACTS["memory"]:
    harm(f"{total} bytes in /dev/shm")
contained(f"{total} bytes")
