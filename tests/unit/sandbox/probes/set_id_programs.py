import glob, os, subprocess
from probe import contained, harm

for path in [p for folder in ("/usr/bin", "/usr/sbin", "/usr/lib/openssh") for p in glob.glob(folder + "/*")]:
    try:
        if os.stat(path).st_mode & 0o4000:
            done = subprocess.run([path, "--help"], capture_output=True, timeout=2)
    except (OSError, subprocess.TimeoutExpired):
        continue
done = subprocess.run(["/bin/sh", "-c", "su -c id root; mount; id -u"], capture_output=True, text=True)
harm(done.stdout) if "uid=0" in done.stdout else contained()
