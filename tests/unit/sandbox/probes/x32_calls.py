import os
from probe import contained, harm, libc

child = os.fork()
if not child:
    os._exit(42 if libc.syscall(0x40000000 + 39) > 0 else 0)  # getpid
status = os.waitpid(child, 0)[1]
if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 42:
    harm("x32 system calls")
contained(f"status {status}")
