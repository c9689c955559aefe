# expect: ValueError
import sys
sys.stdout.close()
print("x")
