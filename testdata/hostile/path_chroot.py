# expect: AttributeError
import os
os.chroot("/tmp")
