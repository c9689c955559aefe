# expect: ok ""
import os
for name in ("\n", "\r", " ", "\x7f", "C:\\x", "con", "nul", "*", "?", "|", "-rf", "a:b", "\u202e", "e\u0301", "\U0001f600" * 60):
    p = "/tmp/" + name
    open(p, "w").write("x")
    assert name in os.listdir("/tmp")
    os.unlink(p)
