# expect: FileNotFoundError
open("/proc/self/mem", "r+b")
