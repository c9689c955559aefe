# Times requests over TLS and prints seconds by name, as JSON. PORT and CA, the
# server's authority in PEM, are set before this.
import json
import ssl
import time
import http.client


def get(connection, path, size):
    connection.request("GET", path)
    answer = connection.getresponse()
    length, block = 0, answer.read(1 << 16)
    while block:
        length, block = length + len(block), answer.read(1 << 16)
    assert answer.status == 200 and length == size, (answer.status, length)


times = {}


def timed(name, repeat, function):
    function()
    began = time.perf_counter()
    for _ in range(repeat):
        function()
    times[name] = (time.perf_counter() - began) / repeat


secure = ssl.create_default_context(cadata=CA)


def one_kilobyte():
    connection = http.client.HTTPSConnection("127.0.0.1", PORT, context=secure)
    get(connection, "/1000", 1000)
    connection.close()


timed("GET of 1 kB, a connection each", 50, one_kilobyte)
kept = http.client.HTTPSConnection("127.0.0.1", PORT, context=secure)
timed("GET of 1 kB, one connection", 200, lambda: get(kept, "/1000", 1000))
timed("GET of 10 MB", 5, lambda: get(kept, "/10000000", 10_000_000))
kept.close()
print(json.dumps(times))
