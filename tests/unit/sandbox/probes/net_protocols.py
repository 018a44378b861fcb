import socket
from probe import contained, harm

# The kernel would load a module for each of these, for anybody who asks.
opened = []
for family in (socket.AF_INET, socket.AF_INET6):
    for kind, protocol in (
        (5, 132),
        (1, 132),
        (6, 33),
        (2, 136),
        (1, 262),
        (2, 115),
        (3, 255),
        (1, 256),
        (5, 33),
    ):
        try:
            socket.socket(family, kind, protocol).close()
            opened.append((int(family), protocol))
        except OSError:
            continue
harm(f"sockets of protocols {opened}") if opened else contained()
