# ends: exit memory
import ctypes, os, socket, struct, time
from probe import FACTS, contained, harm

# A filter of 32 KiB on each of many sockets that are in no list, for they are neither bound nor connected.
code = ctypes.create_string_buffer(struct.pack("=HBBI", 0, 0, 0, 1) * 4095 + struct.pack("=HBBI", 6, 0, 0, 0))
program = struct.pack("@HP", 4096, ctypes.addressof(code))
told, tell = os.pipe()
for _ in range(8):
    if not os.fork():
        held = []
        try:
            while True:
                held.append(socket.socket())
                held[-1].setsockopt(socket.SOL_SOCKET, 26, program)
                os.write(tell, b"x")
        except OSError:
            time.sleep(60)
os.close(tell)
os.set_blocking(told, False)
total = 0
for _ in range(40):
    time.sleep(0.1)
    try:
        total += len(os.read(told, 1 << 16)) << 15
    except BlockingIOError:
        continue
if total > 1.5 * FACTS["memory"]:
    harm(f"{total} bytes in filters")
contained(f"{total} bytes in filters")
