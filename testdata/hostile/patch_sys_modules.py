# expect: AttributeError
import sys
sys.modules.clear()
import json
