import os, signal, time
from probe import contained, harm

for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP, signal.SIGINT):
    try:
        os.kill(1, number)
    except OSError:
        pass
try:
    os.kill(-1, 0)
except OSError:
    pass
time.sleep(0.2)
if not os.path.exists("/proc/1"):
    harm("process 1 is gone")
contained("process 1 is unmoved")
