# expect: limit time or ok or ValueError
# timeout: 500ms
import urllib.parse
while True:
    urllib.parse.parse_qsl("a=1&" * 100_000)
