# ends: exit memory
import socket, time
from probe import FACTS, contained, harm

server = socket.create_server(("127.0.0.1", 0), backlog=4096)
held = []
total = 0
try:
    while total < 4 * FACTS["memory"]:
        client = socket.create_connection(server.getsockname(), 1)
        held += [client, server.accept()[0]]
        client.setblocking(False)
        quiet = time.monotonic()
        while time.monotonic() - quiet < 0.02:
            try:
                total += client.send(bytes(1 << 16))
                quiet = time.monotonic()
            except BlockingIOError:
                time.sleep(0.001)
except OSError:
    pass
time.sleep(0.5)
if total > 1.5 * FACTS["memory"]:
    harm(f"{total} bytes in the buffers of {len(held)} connections")
contained(f"{total} bytes")
