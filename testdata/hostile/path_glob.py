# expect: limit time or ok
# timeout: 500ms
import glob
glob.glob("/**/" * 20 + "x", recursive=True)
