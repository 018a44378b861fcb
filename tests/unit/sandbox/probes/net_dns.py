import socket
from probe import attempt, contained

socket.setdefaulttimeout(1)
attempt("resolved a name", socket.getaddrinfo, "example.com", 80)
contained()
