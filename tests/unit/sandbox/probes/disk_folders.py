# ends: disk
import os
from probe import FACTS, harm

for i in range(FACTS["inodes"] * 20):
    os.mkdir(f"d{i}")
harm("made twenty times as many folders as the limit")
