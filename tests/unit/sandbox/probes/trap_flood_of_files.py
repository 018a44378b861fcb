# ends: disk
import os
from probe import harm

for i in range(1_000_000):
    os.close(os.open(f"f{i}", os.O_CREAT | os.O_WRONLY))
harm("a million files")
