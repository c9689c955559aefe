# expect: AttributeError
import os
os.fork()
