# ends: exit memory
import fcntl, os, time
from probe import FACTS, contained, harm

total = 0
held = []
try:
    while total < 4 * FACTS["memory"]:
        reading, writing = os.pipe()
        held.append((reading, writing))
        os.set_blocking(writing, False)
        try:
            fcntl.fcntl(writing, 1031, 1 << 20)  # F_SETPIPE_SZ
        except OSError:
            pass
        try:
            while True:
                total += os.write(writing, bytes(1 << 16))
        except BlockingIOError:
            pass
except OSError:
    pass
time.sleep(0.5)
if total > 1.5 * FACTS["memory"]:
    harm(f"{total} bytes in {len(held)} pipes")
contained(f"{total} bytes")
