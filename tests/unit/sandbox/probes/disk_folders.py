# ends: disk
import os
from probe import FACTS, harm

for i in range(FACTS["inodes"] * 4):
    os.mkdir(f"d{i}")
harm("made four times as many folders as the limit")
