# expect: PermissionError
import socket
socket.socketpair()
