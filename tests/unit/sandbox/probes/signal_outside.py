import os, signal
from probe import FACTS, attempt, contained

for pid in (FACTS["harness_pid"], FACTS["victim_pid"], os.getppid()):
    if pid > 1 and pid != os.getpid():
        attempt(f"a signal to {pid}", os.kill, pid, 0) if not os.path.exists(f"/proc/{pid}") else None
attempt("a signal to the parent", os.kill, os.getppid(), signal.SIGKILL) if os.getppid() > 1 else None
contained()
