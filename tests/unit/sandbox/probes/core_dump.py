import os, resource, signal
from probe import attempt, contained, harm

# The host may name a program that gets every core dump, outside any sandbox and as root.
attempt("turned core dumps for that program on", resource.setrlimit, resource.RLIMIT_CORE, (0, 0))
attempt("turned them on without a limit", resource.setrlimit, resource.RLIMIT_CORE, (-1, -1))
if not (child := os.fork()):
    os.kill(os.getpid(), signal.SIGSEGV)
status = os.waitpid(child, 0)[1]
harm("dumped core") if os.WCOREDUMP(status) else contained()
