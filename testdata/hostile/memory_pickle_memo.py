# expect: MemoryError
import pickle
pickle.loads(b"Nr\xfe\xff\xff\x7f.")
