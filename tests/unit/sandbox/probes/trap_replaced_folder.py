import os, shutil
from probe import FACTS, contained

# An input folder becomes a link, an input file becomes a folder.
shutil.rmtree("inputs")
os.symlink(FACTS["outside"], "inputs")
os.unlink("input.txt")
os.mkdir("input.txt")
open("input.txt/x", "w").close()
contained("replaced the inputs")
