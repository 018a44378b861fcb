# ends: exit memory disk
from probe import FACTS, harm_if_done, start_hidden

# Its memory might not be measured.
pid = start_hidden(f"x = bytearray({4 * FACTS['memory']}); import os; os._exit(42)")
harm_if_done(pid, "four times the memory limit in a process that hides")
