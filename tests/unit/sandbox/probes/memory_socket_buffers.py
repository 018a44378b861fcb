# ends: exit memory
import socket
from probe import FACTS, contained, harm

held = []
total = 0
try:
    while total < 4 * FACTS["memory"]:
        pair = socket.socketpair()
        held.append(pair)
        for end in pair:
            end.setblocking(False)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 24)
            try:
                while True:
                    total += end.send(bytes(1 << 16))
            except BlockingIOError:
                pass
except OSError:
    pass
import time

time.sleep(0.5)
if total > 1.5 * FACTS["memory"]:
    harm(f"{total} bytes in the buffers of {len(held)} sockets")
contained(f"{total} bytes")
