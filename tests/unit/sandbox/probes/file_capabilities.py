import os, shutil, struct
from probe import attempt, contained

shutil.copy("/usr/bin/env", "tool")
everything = struct.pack("=5I", 0x02000001, 0xFFFFFFFF, 0, 0xFFFFFFFF, 0)
attempt("a file with capabilities", os.setxattr, "tool", "security.capability", everything)
attempt(
    "one for a namespace",
    os.setxattr,
    "tool",
    "security.capability",
    struct.pack("=6I", 0x03000001, ~0 & 0xFFFFFFFF, 0, 0, 0, 1000),
)
attempt("a trusted attribute", os.setxattr, "tool", "trusted.overlay.opaque", b"y")
contained()
