# expect: AttributeError
import pickle
pickle.loads(b"cos\nsystem\n(S'sh'\ntR.")
