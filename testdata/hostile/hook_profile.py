# expect: ok ""
import sys
def profile(*a):
    sys.setprofile(profile)
    g()
def g(): pass
sys.setprofile(profile)
g()
