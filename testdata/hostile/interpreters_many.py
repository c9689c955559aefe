# expect: ModuleNotFoundError
import _interpreters
kept = []
while True:
    kept.append(_interpreters.create())
