# ends: disk
import os
from probe import FACTS, harm

files = []
for i in range(4 * FACTS["disk"] >> 20):
    files.append(open("gone", "wb"))
    os.unlink("gone")
    files[-1].write(bytes(1 << 20))
    files[-1].flush()
harm("held four times the limit in files without a name")
