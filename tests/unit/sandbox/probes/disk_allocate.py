# ends: exit disk
import os
from probe import FACTS, attempt, contained

fd = os.open("allocated", os.O_RDWR | os.O_CREAT)
attempt("allocated four times the limit", os.posix_fallocate, fd, 0, 4 * FACTS["disk"])
contained()
