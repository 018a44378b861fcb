# ends: disk
from probe import FACTS, harm

with open("checkpoint.bin", "wb") as file:
    for _ in range(4 * FACTS["disk"] >> 20):
        file.write(bytes(1 << 20))
harm("wrote four times the limit")
