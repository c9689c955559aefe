# expect: AttributeError
import os
os.kill(os.getpid(), 9)
