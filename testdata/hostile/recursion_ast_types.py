# expect: TypeError
import ast
compile(ast.Expression(ast.Constant(object(), lineno=1, col_offset=0)), "x", "eval")
