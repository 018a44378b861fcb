# ends: exit disk
import os
from probe import contained

# A path that no single call can name: 60 levels of 250 letters.
for _ in range(60):
    os.mkdir("n" * 250)
    os.chdir("n" * 250)
os.symlink("/etc/passwd", "final_info.json")
contained("left a very long path")
