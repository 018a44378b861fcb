import socket
from probe import contained, harm

opened = []
for protocol in range(1, 23):
    try:
        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol).close()
        opened.append(protocol)
    except OSError:
        continue
harm(f"netlink protocols {opened}") if opened else contained()
