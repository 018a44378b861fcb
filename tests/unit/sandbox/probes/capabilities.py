import os
from probe import attempt, contained, harm

with open("/proc/self/status") as file:
    sets = {line.split(":")[0]: int(line.split()[1], 16) for line in file if line.startswith("Cap")}
if any(sets.values()):
    harm(f"{sets}")
if 0 in (*os.getresuid(), *os.getresgid(), *os.getgroups()):
    harm("root")
attempt("became root", os.setuid, 0)
attempt("changed groups", os.setgroups, [0])
attempt("chown", os.chown, "facts.json", 0, 0)
contained()
