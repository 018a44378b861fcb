# ends: output
import os

# Many write at once, their parent has ended long ago, and all ignore that nobody may read.
for _ in range(6):
    if not os.fork():
        os.setsid()
        while True:
            try:
                os.write(2, b"y" * 65536)
            except OSError:
                pass
import time

time.sleep(60)
