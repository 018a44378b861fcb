import glob, os
from probe import attempt, contained

for path in glob.glob("/sys/fs/cgroup/**/*", recursive=True)[:200]:
    attempt(f"opened {path}", os.open, path, os.O_WRONLY)
try:
    os.mkdir("/sys/fs/cgroup/novum-probe")
except OSError:
    contained()
from probe import harm

harm("made a control group")
