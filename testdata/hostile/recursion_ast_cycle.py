# expect: RecursionError
import ast
n = ast.List([], ast.Load(), lineno=1, col_offset=0)
n.elts.append(n)
compile(ast.Expression(n), "x", "eval")
