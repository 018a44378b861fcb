import os
from probe import FACTS, attempt, contained

for i, target in enumerate(
    (FACTS["secret"], "/etc/passwd", "/usr/bin/env", FACTS["data"] + "/numbers.txt", "protected.txt")
):
    attempt(f"a hard link to {target}", os.link, target, f"hard{i}")
contained()
