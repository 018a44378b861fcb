import socket
from probe import FACTS, attempt, contained

with socket.socket(socket.AF_UNIX) as probe:
    attempt("connected to an abstract socket of the host", probe.connect, "\0" + FACTS["abstract"])
contained()
