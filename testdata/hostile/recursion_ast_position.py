# expect: ValueError
import ast
compile(ast.Expression(ast.Constant(1, lineno=2**31 - 1, col_offset=-(2**31), end_lineno=-1, end_col_offset=2**31 - 1)), "x", "eval")
