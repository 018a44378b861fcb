import os, time
from probe import FACTS

# The parent ends well; the daemon would write outside the run's life.
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
for fd in range(3):
    os.close(fd)
end = time.monotonic() + 20
while time.monotonic() < end:
    with open("heartbeat.txt", "a") as file:
        file.write(FACTS["marker"])
    time.sleep(0.01)
