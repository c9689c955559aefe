# expect: PermissionError
import socket
kept = []
while True:
    kept.append(socket.socket())
