import socket
from probe import attempt, contained

attempt("a socket to the hypervisor", socket.socket, 40, socket.SOCK_STREAM)
contained()
