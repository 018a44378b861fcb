# ends: exit disk
import os
from probe import FACTS, HOLD_MORE, harm_if_done, start_hidden

# Its descriptors might not be seen, for its first thread is over and shows nothing.
code = f"""{HOLD_MORE}
import ctypes, threading, time
def fill():
    time.sleep(0.3)
    for _ in range({4 * FACTS["disk"]} >> 20):
        hold_more()
        time.sleep(0.01)
    os._exit(42)
threading.Thread(target=fill).start()
ctypes.CDLL(None).syscall({60 if os.uname().machine == "x86_64" else 93}, 0)
"""
harm_if_done(start_hidden(code), "four times the disk limit in a process that hides")
