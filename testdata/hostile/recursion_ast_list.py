# expect: RecursionError
import ast
n = ast.Constant(1, lineno=1, col_offset=0)
for _ in range(200_000):
    n = ast.List([n], ast.Load(), lineno=1, col_offset=0)
compile(ast.Expression(n), "x", "eval")
