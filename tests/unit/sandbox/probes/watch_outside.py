import os
from probe import FACTS, attempt, contained, harm, libc

watcher = libc.inotify_init()
for path in (FACTS["outside"], FACTS["secret"], FACTS["home"] + "/.ssh", "/etc/shadow"):
    if libc.inotify_add_watch(watcher, path.encode(), 0xFFF) >= 0:
        harm(f"watches {path}")
contained()
