# Strings and dicts: words counted, grouped and put together again.
syllables = ["ba", "do", "ki", "lu", "me", "no", "pa", "ri"]
state, words = 7, []
for _ in range(40_000):
    state = (state * 1103515245 + 12345) & 0x7FFFFFFF
    words.append(syllables[state >> 8 & 7] + syllables[state >> 13 & 7] + syllables[state >> 19 & 7])
text = " ".join(words)
count = {}
for word in text.split():
    count[word] = count.get(word, 0) + 1
groups = {}
for word, n in count.items():
    groups.setdefault(word[:2], []).append(f"{word.upper()}={n:05d}")
lines = [prefix + ":" + ",".join(sorted(found)) for prefix, found in sorted(groups.items())]
print(len(count), sum(map(len, lines)), text.count("baba"), text.replace("ki", "k").find("pakri"))
