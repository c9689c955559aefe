# expect: FileNotFoundError
import os
os.unlink(os.__file__)
