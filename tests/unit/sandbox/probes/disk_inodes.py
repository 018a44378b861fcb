# ends: disk
import os
from probe import FACTS, harm

for i in range(FACTS["inodes"] * 20):
    os.close(os.open(f"f{i}", os.O_CREAT | os.O_WRONLY))
harm("made twenty times as many files as the limit")
