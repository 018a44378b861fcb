# ends: memory
import mmap, time
from probe import FACTS, harm

# Files of the work folder are not memory of the payload: as much memory must not hide behind them.
size = 2 * FACTS["memory"]
with open("large", "wb") as file:
    for _ in range(size >> 20):
        file.write(bytes(1 << 20))
area = mmap.mmap(-1, size)
for i in range(0, size, 4096):
    area[i] = 1
time.sleep(2)
harm(f"{size} bytes of shared memory beside as many of files")
