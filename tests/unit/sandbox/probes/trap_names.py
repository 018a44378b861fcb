# ends: exit disk
# (In the folder itself it is stopped: what a folder too deep to be walked holds cannot be bounded.)
import os
from probe import contained

for name in (b"new\nline", b"\x1b[31mred", b"\xff\xfe", b"-rf", b"x" * 255, "‮gpj.exe".encode(), b"a b"):
    os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
deep = os.getcwd()
for _ in range(700):
    os.mkdir("d")
    os.chdir("d")
open("bottom", "w").close()
contained("left odd names")
