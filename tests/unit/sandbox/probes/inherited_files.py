import os
from probe import contained, harm

extra = []
for name in os.listdir("/proc/self/fd"):
    try:
        target = os.readlink(f"/proc/self/fd/{name}")
    except OSError:
        continue
    if int(name) > 2 and "/proc" not in target:
        extra.append(target)
if os.readlink("/proc/self/fd/0") != "/dev/null":
    extra.append("stdin: " + os.readlink("/proc/self/fd/0"))
harm(f"{extra}") if extra else contained()
