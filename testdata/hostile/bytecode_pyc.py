# expect: any
# deadline: 500ms
import importlib.util, struct, sys
open("/tmp/m.pyc", "wb").write(importlib.util.MAGIC_NUMBER + struct.pack("<III", 0, 0, 0) + b"\xe3" + b"\xff" * 1000)
sys.path.insert(0, "/tmp")
import m
