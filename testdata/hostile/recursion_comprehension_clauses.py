# expect: RecursionError
compile("[0 " + "for x in y " * 5_000 + "]", "x", "eval")
