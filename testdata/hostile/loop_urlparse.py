# expect: deadline or ok or ValueError
# deadline: 500ms
import urllib.parse
while True:
    urllib.parse.parse_qsl("a=1&" * 100_000)
