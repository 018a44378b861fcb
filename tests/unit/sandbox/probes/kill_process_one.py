import os, signal
from probe import contained, harm

for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP):
    try:
        os.kill(1, number)
    except OSError:
        pass
try:
    os.kill(-1, 0)
except OSError:
    pass
if not os.path.exists("/proc/1"):
    harm("process 1 is gone")
contained("process 1 is unmoved")
