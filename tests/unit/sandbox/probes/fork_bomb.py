# ends: tasks timeout
import os
from probe import FACTS, harm

while True:
    try:
        os.fork()
    except OSError:
        continue
    if sum(name.isdigit() for name in os.listdir("/proc")) > FACTS["tasks"] + 40:
        harm("more processes than the limit")
