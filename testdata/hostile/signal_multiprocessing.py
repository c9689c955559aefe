# expect: AttributeError
import multiprocessing
multiprocessing.Process(target=print).start()
