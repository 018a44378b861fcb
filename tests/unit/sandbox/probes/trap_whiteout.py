import os, stat
from probe import attempt, contained, syscall

open("a", "w").close()
renameat2, whiteout, exchange = 316, 4, 2
attempt("made a device by renaming", syscall, renameat2, -100, b"a\0", -100, b"b\0", whiteout)
attempt("made a whiteout", os.mknod, "w", stat.S_IFCHR | 0o600, 0)
attempt("exchanged the protected file", syscall, renameat2, -100, b"a\0", -100, b"protected.txt\0", exchange)
contained()
