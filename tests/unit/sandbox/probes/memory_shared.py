# ends: memory
import mmap
from probe import FACTS, harm

maps = []
for _ in range(16):
    maps.append(mmap.mmap(-1, FACTS["memory"] // 4))
    for i in range(0, len(maps[-1]), 4096):
        maps[-1][i] = 1
harm("four times the memory limit, shared and anonymous")
