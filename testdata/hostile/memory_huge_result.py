# expect: ok ""
result = ["x" * 1_000_000] * 60
