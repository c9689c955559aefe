# expect: ok ""
("{" * 100_000).format(1)
