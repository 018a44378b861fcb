import socket
from probe import contained, harm

opened = []
for family in range(48):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
        try:
            socket.socket(family, kind).close()
        except OSError:
            continue
        opened.append((family, int(kind)))
bad = [
    pair
    for pair in opened
    if pair[0] not in (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK)
]
bad += [
    pair
    for pair in opened
    if pair[1] == socket.SOCK_RAW and pair[0] not in (socket.AF_NETLINK, socket.AF_UNIX)
]
harm(f"sockets of {bad}") if bad else contained(f"{sorted({f for f, _ in opened})}")
