# A control, not an attack: programs of one run talk to each other over loopback.
import socket
from probe import contained, harm

with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname(), 1):
    contained("loopback works")
harm("no loopback")
