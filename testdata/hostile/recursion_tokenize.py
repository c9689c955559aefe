# expect: tokenize.TokenError
import io, tokenize
list(tokenize.generate_tokens(io.StringIO("(" * 500_000).readline))
