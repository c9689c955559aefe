# C code with an interpreter of its own: regular expressions.
import re

log = "\n".join(f"10.0.{n % 7}.{n % 251} - - [{n % 28 + 1:02d}/Nov] \"GET /path/{n}?q={n * n % 97} HTTP/1.1\" {200 + n % 4 * 100} {n * 31}" for n in range(2500))
line = re.compile(r'^(\d+(?:\.\d+){3}) \S+ \S+ \[([^]]+)\] "(\w+) ([^"?]*)(?:\?([^"]*))? HTTP/[\d.]+" (\d{3}) (\d+)$', re.M)
total = 0
for _ in range(3):
    for found in line.finditer(log):
        total += int(found[6]) + len(found[5] or "")
print(total, len(re.findall(r"(?:[a-z]+/)+\d*[05]\b", log)), len(re.sub(r"\d+", lambda m: m[0][::-1], log)))
