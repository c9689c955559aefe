# expect: ValueError
import linecache
def forever(*a):
    raise KeyboardInterrupt
linecache.getlines = linecache.getline = linecache.updatecache = forever
raise ValueError
