import socket
from probe import FACTS, attempt, contained

for address in ("127.0.0.1", "localhost", "0.0.0.0", "::1"):
    attempt(f"connected to the host on {address}", socket.create_connection, (address, FACTS["port"]), 0.5)
contained()
