# ends: exit memory tasks
import os, socket
from probe import FACTS, contained, harm

# What waits in a socket whose sender has closed is charged to nobody; many processes hold many.
for _ in range(8):
    if not os.fork():
        held = []
        try:
            while True:
                near, far = socket.socketpair()
                near.setblocking(False)
                near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 24)
                held.append(far)
                try:
                    while True:
                        near.send(bytes(1 << 16))
                except BlockingIOError:
                    near.close()
        except OSError:
            pass
        import time

        time.sleep(60)
import time

time.sleep(4)
waiting = int(os.popen("grep -c . /proc/net/unix").read() or 0)
if waiting * 150_000 > 1.5 * FACTS["memory"]:
    harm(f"{waiting} sockets full of bytes")
contained(f"{waiting} sockets")
