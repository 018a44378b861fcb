# ends: memory
import threading, time
from probe import FACTS, harm, libc


def hold():
    time.sleep(0.2)
    size = 2 * FACTS["memory"]
    area = bytearray(size)
    for i in range(0, size, 4096):
        area[i] = 1
    time.sleep(2)
    harm(f"{size} bytes in a process whose first thread has ended, which says nothing of them")


threading.Thread(target=hold).start()
libc.syscall(60, 0)  # ends this thread alone
