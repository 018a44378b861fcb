# ends: disk
from probe import FACTS, harm

for i in range(4 * FACTS["disk"] >> 20):
    with open(f"checkpoint_{i}.bin", "wb") as file:
        file.write(bytes(1 << 20))
harm("wrote four times the limit")
