import os
from probe import FACTS, attempt, contained, read, write

for i, target in enumerate((FACTS["secret"], FACTS["outside"], "/etc/shadow", "/proc/1/root")):
    os.symlink(target, f"link{i}")
os.symlink("../../../../../../" + FACTS["secret"], "relative")
attempt("read through a link", read, "link0")
attempt("read through a relative link", read, "relative")
attempt("wrote through a link", write, "link1/novum-probe")
attempt("read through a link", read, "link2")
for i in range(4):
    os.unlink(f"link{i}")
os.unlink("relative")
contained()
