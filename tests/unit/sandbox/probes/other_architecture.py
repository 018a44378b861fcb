# ends: exit signal
import ctypes, mmap, os, signal
from probe import contained, harm

# int 0x80 enters the kernel by the table of 32-bit calls (20 is getpid there), past a filter that forgot it.
child = os.fork()
if not child:
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")
    function = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
    os._exit(42 if function() > 0 else 0)
status = os.waitpid(child, 0)[1]
if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 42:
    harm("32-bit system calls")
contained(f"status {status}")
