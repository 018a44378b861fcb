# ends: disk
import os
from probe import FACTS, harm

open("one", "w").close()
for i in range(40 * FACTS["inodes"]):
    os.link("one", f"l{i}")
harm("forty times as many names as the limit of files")
