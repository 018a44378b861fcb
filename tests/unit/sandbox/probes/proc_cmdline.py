import glob
from probe import FACTS, contained, harm, read

for path in glob.glob("/proc/[0-9]*/cmdline"):
    try:
        if FACTS["marker"].encode() in read(path):
            harm(path)
    except OSError:
        continue
contained()
