# expect: deadline or ok
# deadline: 500ms
import html.parser
class P(html.parser.HTMLParser): pass
p = P()
for _ in range(2_000):
    p.feed("<!" + "-" * 1_000)
