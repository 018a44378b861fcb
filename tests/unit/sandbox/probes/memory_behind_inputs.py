# ends: memory
import time
from probe import FACTS, harm

# The inputs in the work folder were written by novum, whose memory they may be.
size = 2 * FACTS["memory"]
area = bytearray(size)
for i in range(0, size, 4096):
    area[i] = 1
time.sleep(2)
harm(f"{size} bytes of memory beside a large input")
