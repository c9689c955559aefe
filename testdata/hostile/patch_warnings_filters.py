# expect: ValueError
import sys, warnings
warnings.filters = None
warnings._onceregistry = None
warnings.warn("x")
