# ends: exit disk
import os, shutil, signal, sys, time
from probe import FACTS, contained, harm

# A program that cannot be read, each of its processes there for a moment only: none is seen twice.
shutil.copy(
    "/usr/bin/python3.11" if os.path.exists("/usr/bin/python3.11") else os.path.realpath(sys.executable),
    "hidden",
)
os.chmod("hidden", 0o111)
code = f"""
import os, time
held = []
for _ in range({4 * FACTS["disk"]} >> 20):
    if os.fork():
        os._exit(0)
    try:
        held.append(open("held", "wb", buffering=0))
        os.unlink("held")
        if held[-1].write(bytes(1 << 20)) < 1 << 20:
            os._exit(1)
    except OSError:
        os._exit(1)
    time.sleep(0.01)
open("done", "w").close()
"""
signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # so that none of them stays in /proc
if not os.fork():
    os.execv("./hidden", ["hidden", "-c", code])
while sum(name.isdigit() for name in os.listdir("/proc")) > 2:
    if os.path.exists("done"):
        harm("four times the disk limit in processes that hide")
    time.sleep(0.05)
contained()
