import socket
from probe import FACTS, attempt, contained

attempt(
    "connected to an abstract socket of the host",
    lambda: socket.socket(socket.AF_UNIX).connect("\0" + FACTS["abstract"]),
)
contained()
