import socket
from probe import contained, harm

for family, address in (
    (socket.AF_INET, ("192.0.2.1", 9)),
    (socket.AF_INET, ("8.8.8.8", 53)),
    (socket.AF_INET6, ("2001:db8::1", 9)),
):
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(address)
            harm(f"a route to {address}")
    except OSError:
        pass
try:
    names = [name for _, name in socket.if_nameindex() if name != "lo"]
except OSError:
    names = []
harm(f"interfaces {names}") if names else contained()
