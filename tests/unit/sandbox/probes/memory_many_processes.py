# ends: memory
import os, time
from probe import FACTS, harm

for _ in range(16):
    if not os.fork():
        block = bytearray(FACTS["memory"] // 4)
        for i in range(0, len(block), 4096):
            block[i] = 1
        time.sleep(60)
time.sleep(4)
harm("four times the memory limit, in sixteen processes")
