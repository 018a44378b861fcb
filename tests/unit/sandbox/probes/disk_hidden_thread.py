# ends: exit disk
import os, shutil, sys
from probe import FACTS, contained, harm

# A program that cannot be read, so that its descriptors might not be seen, and whose first thread is over.
shutil.copy(
    "/usr/bin/python3.11" if os.path.exists("/usr/bin/python3.11") else os.path.realpath(sys.executable),
    "hidden",
)
os.chmod("hidden", 0o111)
code = f"""
import ctypes, os, threading, time
def fill():
    time.sleep(0.3)
    held = []
    for _ in range({4 * FACTS["disk"]} >> 20):
        try:
            held.append(open("held", "wb", buffering=0))
            os.unlink("held")
            if held[-1].write(bytes(1 << 20)) < 1 << 20:
                os._exit(1)
        except OSError:
            os._exit(1)
        time.sleep(0.01)
    os._exit(42)
threading.Thread(target=fill).start()
ctypes.CDLL(None).syscall({60 if os.uname().machine == "x86_64" else 93}, 0)
"""
pid = os.fork()
if not pid:
    os.execv("./hidden", ["hidden", "-c", code])
status = os.waitpid(pid, 0)[1]
if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 42:
    harm("four times the disk limit in a process that hides")
contained(f"status {status}")
