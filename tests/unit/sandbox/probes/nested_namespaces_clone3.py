import os, struct
from probe import contained, harm, syscall

request = struct.pack("=11Q", 0x10000000, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0)
try:
    pid = syscall(435, request, len(request))
except OSError as error:
    contained(str(error))
if pid == 0:
    os._exit(0)
harm("clone3 made a user namespace")
