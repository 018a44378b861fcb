from probe import FACTS, contained, harm, libc

if libc.shmget(FACTS["shm_key"], 0, 0) >= 0:
    harm("a System V segment of the host")
try:
    with open("/proc/sysvipc/shm") as file:
        if len(file.readlines()) > 1:
            harm("sees segments of the host")
except OSError:
    pass
contained()
