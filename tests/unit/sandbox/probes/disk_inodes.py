# ends: disk
import os
from probe import FACTS, harm

for i in range(FACTS["inodes"] * 4):
    os.close(os.open(f"f{i}", os.O_CREAT | os.O_WRONLY))
harm("made four times as many files as the limit")
