# expect: SyntaxError
e = SyntaxError("x")
e.lineno, e.offset, e.text, e.filename, e.end_lineno = "a", object(), 3, [], float("nan")
raise e
