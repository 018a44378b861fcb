import os, socket
from probe import contained, harm

# Speak to the supervisor in the launcher's stead, over any socket that was left open.
for fd in range(3, 256):
    try:
        line = socket.socket(fileno=fd)
    except OSError:
        continue
    line.send(b"exit 0 0")
    harm(f"a socket was left open at {fd}")
contained()
