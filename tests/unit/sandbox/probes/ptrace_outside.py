import os
from probe import FACTS, attempt, contained, harm, libc

child = os.fork()
if not child:
    import time

    time.sleep(5)
    os._exit(0)
for pid in (1, FACTS["victim_pid"], child):
    if libc.ptrace(16, pid, None, None) == 0:
        harm(f"attached to {pid}")
for pid in (1, FACTS["victim_pid"]):
    attempt(f"opened the memory of {pid}", os.open, f"/proc/{pid}/mem", os.O_RDONLY)
os.kill(child, 9)
contained()
