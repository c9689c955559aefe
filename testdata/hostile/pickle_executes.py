# expect: exit 21
import pickle
pickle.loads(b"cos\n_exit\n(I21\ntR.")
