import os
from probe import FACTS, attempt, contained, write

for base, _, files in os.walk(FACTS["harness"]):
    for name in files:
        attempt(f"changed {base}/{name}", os.open, os.path.join(base, name), os.O_WRONLY)
attempt("added to the harness", write, FACTS["harness"] + "/novum-probe.py")
attempt("changed the launcher", write, "/run/novum/launcher/main.py")
contained()
