# ends: tasks
import os, threading, time
from probe import FACTS, harm

while True:
    try:
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    except RuntimeError:
        time.sleep(0.05)
    if len(os.listdir("/proc/self/task")) > FACTS["tasks"] + 40:
        harm("more threads than the limit")
