import glob, socket
from probe import FACTS, attempt, contained

paths = [
    FACTS["socket"],
    "/run/docker.sock",
    "/var/run/docker.sock",
    "/run/systemd/private",
    "/run/dbus/system_bus_socket",
    *glob.glob("/tmp/*.sock"),
    *glob.glob("/run/*"),
]
for path in paths:
    attempt(f"connected to {path}", lambda path=path: socket.socket(socket.AF_UNIX).connect(path))
contained()
