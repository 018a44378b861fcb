from probe import FACTS, contained, harm

with open("/proc/self/mountinfo") as file:
    lines = file.readlines()
writable = [line.split()[4] for line in lines if line.split()[5].split(",")[0] == "rw"]
unexpected = [path for path in writable if not path.startswith(("/work", "/tmp", "/dev", "/proc"))]
harm(f"writable mounts {unexpected}") if unexpected else contained(f"{len(lines)} mounts")
