# expect: AttributeError
import os
os.system("sh")
