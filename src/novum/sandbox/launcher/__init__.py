"""The program that builds the room, locks it and starts the payload in it.

It runs as `python -I -S -c BOOT fd` with an empty environment and knows nothing of novum. Its code and what it is to do
come in a file that has no path (see `novum.sandbox.starting`); it decides nothing itself.

Every run waits for its imports, so it takes what is written in C without the modules around it: `posix` for `os`
(1.5 ms), `_ctypes` for `ctypes` (2 ms), `_socket` (4), `_signal` (3), `_struct` and `_stat`; no `typing` (10), no
`resource`, and no `__future__`, which is a module too.
"""

BOOT = "import marshal, sys; sent = open(int(sys.argv[1]), 'rb'); exec(marshal.load(sent)); boot(sent)"
"""What `python -c` is given; its argument is the descriptor of the file."""
