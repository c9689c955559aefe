# expect: deadline
# deadline: 200ms
import pickle
pickle.loads(b"c__builtin__\neval\n(S'sum(iter(int, 1))'\ntR.")
