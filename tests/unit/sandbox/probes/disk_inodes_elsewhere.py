# ends: exit disk memory
import os
from probe import contained, harm

count = 0
for folder in ("/tmp", "/dev/shm"):
    try:
        for i in range(200_000):
            os.symlink("x", f"{folder}/l{i}")
            count += 1
    except OSError:
        pass
if count > 150_000:
    harm(f"{count} files outside the work folder")
contained(f"{count} files")
