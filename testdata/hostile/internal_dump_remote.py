# expect: FileNotFoundError
import sys
sys.remote_exec(1, "/tmp/x")
