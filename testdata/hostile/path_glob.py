# expect: deadline or ok
# deadline: 500ms
import glob
glob.glob("/**/" * 20 + "x", recursive=True)
