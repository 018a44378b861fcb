# ends: disk exit
import os
from probe import FACTS, contained, harm

made = 0
try:
    for i in range(4 * FACTS["disk"] // 4000):
        os.symlink("x" * 4000, f"s{i}")
        made += 4000
except OSError:
    pass
if made > 2 * FACTS["disk"]:
    harm(f"{made} bytes in links")
import sys

sys.stderr.write("No space left on device")
sys.exit(1)
