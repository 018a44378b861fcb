import os
from probe import FACTS, contained

os.symlink(FACTS["secret"], "final_info.json")
os.symlink("/etc/passwd", "notes.txt")
os.symlink("/", "everything")
os.symlink(".", "loop")
os.mkdir("figures")
os.symlink(FACTS["outside"], "figures/out")
contained("left links")
