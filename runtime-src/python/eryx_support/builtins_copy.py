"""Builtins that scripts cannot change.

A function takes its builtins from ``__builtins__`` in its module's globals at
the time it is defined. Every module of this package therefore begins with

    from eryx_support.builtins_copy import builtins_copy as __builtins__

and from there on does not notice ``builtins.isinstance = None``.
"""

import builtins

builtins_copy = dict(vars(builtins))
