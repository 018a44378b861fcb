# ends: memory
import mmap, time
from probe import FACTS, harm

# The same where the files are mapped too, so that what is mapped of them must be told from what is not.
size = 2 * FACTS["memory"]
with open("large", "w+b") as file:
    file.truncate(size)
    files = mmap.mmap(file.fileno(), size)
area = mmap.mmap(-1, size)
for i in range(0, size, 4096):
    files[i] = area[i] = 1
time.sleep(2)
harm(f"{size} bytes of shared memory beside as many of mapped files")
