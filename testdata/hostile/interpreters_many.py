# expect: any
# deadline: 500ms
import _interpreters
kept = []
while True:
    kept.append(_interpreters.create())
