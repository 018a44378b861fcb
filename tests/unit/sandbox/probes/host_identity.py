import os
from probe import FACTS, contained, harm

if os.uname().nodename == FACTS["hostname"]:
    harm("the host's name")
if os.path.exists("/etc/machine-id"):
    harm("the machine's id")
contained()
