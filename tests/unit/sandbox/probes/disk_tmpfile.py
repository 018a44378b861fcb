# ends: disk
import os
from probe import FACTS, harm

for i in range(4 * FACTS["disk"] >> 20):
    fd = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o600)
    os.write(fd, bytes(1 << 20))
harm("held four times the limit in files that never had a name")
