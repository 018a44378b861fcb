from probe import FACTS, contained, harm, libc

if libc.prctl(4, 0, 0, 0, 0) == 0:  # PR_SET_DUMPABLE
    harm("hid its files in /proc from the watcher")
contained()
