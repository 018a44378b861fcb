# A control, not an attack: a program starts, computes, and keeps a file.
from probe import contained, write

write("control.txt", b"works")
contained("a program runs and writes")
