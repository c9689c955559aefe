# expect: ok ""
import sys
sys.modules = None
import json
