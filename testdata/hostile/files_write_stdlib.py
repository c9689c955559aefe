# expect: OSError
import os
open(os.__file__, "a")
