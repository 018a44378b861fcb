import glob, os
from probe import FACTS, contained, harm, read

names = (
    ".ssh",
    ".aws",
    ".netrc",
    ".config",
    ".bash_history",
    ".git-credentials",
    ".docker",
    ".kube",
    ".cache",
    ".bashrc",
    ".profile",
)
homes = {FACTS["home"], "/root", *glob.glob("/home/*"), os.path.expanduser("~root")}
found = [f"{home}/{name}" for home in homes for name in names if os.path.lexists(f"{home}/{name}")]
if found:
    harm(f"sees {found}")
try:
    harm(f"reads {read(FACTS['secret'])!r}")
except OSError:
    contained()
