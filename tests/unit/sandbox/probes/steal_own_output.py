# ends: timeout exit
import os, threading, time

# It reads its own output away, makes its pipes small, blocks them, and goes on past its time.
import fcntl

for fd in (1, 2):
    try:
        fcntl.fcntl(fd, 1031, 4096)
        reader = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY)
        threading.Thread(
            target=lambda r=reader: [os.read(r, 65536) for _ in range(10**9)], daemon=True
        ).start()
    except OSError:
        pass
end = time.monotonic() + 60
while time.monotonic() < end:
    try:
        os.write(1, b"x" * 100)
    except OSError:
        pass
    time.sleep(0.001)
