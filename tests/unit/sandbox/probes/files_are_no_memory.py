import mmap
from probe import FACTS, contained

# A control: files in the work folder, mapped or not, are not the payload's memory.
size = 2 * FACTS["memory"]
with open("large", "w+b") as file:
    for _ in range(size >> 20):
        file.write(bytes(1 << 20))
    file.flush()
    area = mmap.mmap(file.fileno(), size)
assert sum(area[i] for i in range(0, size, 4096)) == 0
import time

time.sleep(0.3)
contained(f"{size} bytes of mapped files")
