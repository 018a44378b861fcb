# ends: tasks
import os, time
from probe import FACTS, harm

# Children that have ended and are never asked for take numbers all the same.
made = 0
while made < 40 * FACTS["tasks"]:
    try:
        if not os.fork():
            os._exit(0)
        made += 1
    except OSError:
        time.sleep(0.05)
    if made > FACTS["tasks"] + 40:
        harm(f"{made} processes that have ended")
