# expect: ok ""
(b"a" * 10_000_000).rfind(b"b" + b"a" * 5_000_000)
