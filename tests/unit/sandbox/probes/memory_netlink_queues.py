# ends: exit memory
import os, socket, struct, time
from probe import FACTS, contained, harm

# Questions to the kernel whose answers nobody reads.
question = struct.pack("=IHHIIBxHiII", 32, 18, 1, 1, 0, 0, 0, 1, 0, 0)
held = []
try:
    for _ in range(2000):
        line = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
        held.append(line)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
        for _ in range(120):
            line.send(question)
except OSError as error:
    print(error)
time.sleep(0.5)
with open("/proc/self/net/netlink") as file:
    total = sum(int(row.split()[4]) for row in file.readlines()[1:])
if total > 1.5 * FACTS["memory"]:
    harm(f"{total} bytes in the queues of {len(held)} netlink sockets")
contained(f"{total} bytes in the queues of {len(held)} netlink sockets")
