# ends: tasks timeout memory
import os, subprocess, sys, time
from probe import FACTS, harm

while True:
    try:
        subprocess.Popen([sys.executable, __file__])
    except OSError:
        time.sleep(0.01)
    if sum(name.isdigit() for name in os.listdir("/proc")) > FACTS["tasks"] + 40:
        harm("more processes than the limit")
