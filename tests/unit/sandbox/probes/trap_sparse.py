import os
from probe import FACTS, contained

for i in range(20):
    with open(f"giant{i}", "wb") as file:
        file.truncate(FACTS["disk"])
contained("left sparse giants")
