# expect: RecursionError
import ast
n = ast.List([], ast.Load())
n.elts.append(n)
ast.dump(n)
