# ends: memory
from probe import FACTS, harm

block = bytearray(4 * FACTS["memory"])
for i in range(0, len(block), 4096):
    block[i] = 1
harm("four times the memory limit")
