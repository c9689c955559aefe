# expect: ok ""
compile("".join(" " * n + f"def f{n}():\n" for n in range(95)) + " " * 95 + "pass", "x", "exec")
