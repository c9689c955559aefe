"""Compiled scripts of a session, for those that it runs again.

Compiling takes most of the time of a short script. What a script of the same
text gets is what Python's own cache of modules would give it: code objects and
constants that nobody else has, loaded from bytes, under the script's own file
name. A script that has warnings or errors is compiled each time, since they are
to be seen each time.

The cache is the session's: what is compiled by a script's interpreter is never
run by another one.
"""

from eryx_support.builtins_copy import builtins_copy as __builtins__

import builtins
import marshal
import sys
import warnings
from _imp import _fix_co_filename

_ALLOW_TOP_LEVEL_AWAIT = 0x2000  # ast.PyCF_ALLOW_TOP_LEVEL_AWAIT

# Bounds of what is kept, in scripts, and in bytes of one and of all.
_MAX_COUNT = 64
_MAX_ONE = 32 << 10
_MAX_ALL = 256 << 10

# Looked up here, once: a script can replace them in their modules.
_audit = sys.audit
_compile = builtins.compile
_dumps = marshal.dumps
_loads = marshal.loads

# Code as bytes by source, what was used last at the end, and their size.
_kept = {}
_size = 0

# By the hash of a source that was run once, whether it can be kept. Most are not
# run again, so it is only then.
_seen = {}


def compile_script(source, filename):
    """Compiles a script, in which there may be await outside of functions."""
    return _compile(source, filename, "exec", _ALLOW_TOP_LEVEL_AWAIT, True)


def compile_again(source, filename):
    """Does the same for a script that may have been run before."""
    data = _kept.pop(source, None)
    if data is None:
        return _compile_new(source, filename)
    _kept[source] = data
    _audit("compile", source, filename)
    code = _loads(data)
    _fix_co_filename(code, filename)
    return code


def _compile_new(source, filename):
    if len(source) > _MAX_ONE:
        return compile_script(source, filename)
    key = hash(source)
    keep = _seen.get(key)
    if keep is None:
        if len(_seen) >= _MAX_COUNT:
            _seen.clear()
        _seen[key] = True
    if not keep:
        return compile_script(source, filename)
    try:
        code = _compile_without_warnings(source, filename)
        _keep(source, _dumps(code))
        return code
    except Exception:
        _seen[key] = False
    return compile_script(source, filename)


def _compile_without_warnings(source, filename):
    # Not catch_warnings(), after which warnings that were shown are shown again.
    filters = warnings.filters
    warnings.filters = [("error", None, Warning, None, 0)]
    try:
        return compile_script(source, filename)
    finally:
        warnings.filters = filters


def _keep(source, data):
    global _size
    size = source.__sizeof__() + len(data)
    if size > _MAX_ONE:
        raise ValueError("the script is too large to be kept")
    _kept[source] = data
    _size += size
    while _size > _MAX_ALL or len(_kept) > _MAX_COUNT:
        oldest = next(iter(_kept))
        _size -= oldest.__sizeof__() + len(_kept.pop(oldest))


def clear():
    """Forgets all scripts."""
    global _size
    _kept.clear()
    _seen.clear()
    _size = 0
