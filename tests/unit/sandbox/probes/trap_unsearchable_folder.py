# ends: exit disk
import os, time
from probe import FACTS, contained

os.makedirs("listed/inner")
os.symlink(FACTS["secret"], "listed/final_info.json")
os.symlink(FACTS["outside"], "listed/inner/out")
open("listed/inner/file", "w").close()
os.chmod("listed/inner", 0o444)
os.chmod("listed", 0o444)
time.sleep(0.5)
contained("left a folder that can be listed, and whose content cannot be looked at")
