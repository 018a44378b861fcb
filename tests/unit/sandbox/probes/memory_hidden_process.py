# ends: exit memory disk
import os, shutil, sys, time
from probe import FACTS, contained, harm

# A program that cannot be read, so that its memory might not be measured.
shutil.copy(
    "/usr/bin/python3.11" if os.path.exists("/usr/bin/python3.11") else os.path.realpath(sys.executable),
    "hidden",
)
os.chmod("hidden", 0o111)
code = f"x = bytearray({4 * FACTS['memory']}); import os; os._exit(42)"
pid = os.fork()
if not pid:
    os.execv("./hidden", ["hidden", "-c", code])
status = os.waitpid(pid, 0)[1]
if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 42:
    harm("four times the memory limit in a process that hides")
contained(f"status {status}")
