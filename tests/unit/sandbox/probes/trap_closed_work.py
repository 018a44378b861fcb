# ends: exit disk
import os, time
from probe import FACTS, contained

os.symlink(FACTS["secret"], "final_info.json")
work = os.open(".", os.O_RDONLY)
try:
    os.fchmod(work, 0o444)
except PermissionError:
    contained("refused")  # it belongs to somebody else
time.sleep(0.3)
os.fchmod(work, 0)
contained("left a work folder that cannot be looked into")
