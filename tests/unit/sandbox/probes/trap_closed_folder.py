# ends: exit disk
import os
from probe import FACTS, contained

os.makedirs("closed/inner")
os.symlink(FACTS["secret"], "closed/final_info.json")
os.symlink(FACTS["outside"], "closed/inner/out")
os.chmod("closed/inner", 0)
os.chmod("closed", 0o111)
contained("left a folder that cannot be looked into")
