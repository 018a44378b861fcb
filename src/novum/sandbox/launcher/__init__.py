"""The program that builds the room, locks it and starts the payload in it.

It runs as `python -I -S -c BOOT folder fd` with an empty environment, knows nothing of novum and imports
only what starts fast. It is told what to do over a socket (see `control`) and decides nothing itself.
"""

BOOT = "import sys; sys.path.append(sys.argv[1]); from launcher.main import main; main(int(sys.argv[2]))"
"""What `python -c` is given; its arguments are the parent of this folder and the socket's descriptor."""
