# expect: ok "€\n"
import codecs, encodings
codecs.register(lambda n: None)
encodings._cache.clear()
encodings.search_function = None
codecs.lookup_error = codecs.utf_8_decode = codecs.utf_8_encode = None
print("\u20ac")
