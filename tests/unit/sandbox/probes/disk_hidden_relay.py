# ends: exit disk
import os, signal, time
from probe import FACTS, HOLD_MORE, contained, harm, start_hidden

# Each of its processes is there for a moment only: none is seen twice.
code = f"""{HOLD_MORE}
import time
for _ in range({4 * FACTS["disk"]} >> 20):
    if os.fork():
        os._exit(0)
    hold_more()
    time.sleep(0.01)
open("done", "w").close()
"""
signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # so that none of them stays in /proc
start_hidden(code)
while sum(name.isdigit() for name in os.listdir("/proc")) > 2:
    if os.path.exists("done"):
        harm("four times the disk limit in processes that hide")
    time.sleep(0.05)
contained()
