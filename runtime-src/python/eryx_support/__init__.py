"""What runs inside a sandbox beside the user's script.

The shim (runtime-src/shim) looks these functions up once and calls them for
the exports of interface ``interpreter``; each returns ``(tag, payload)``, the
tag being that of the WIT type, at once or as a generator that the shim drives
(:mod:`eryx_support.script`). They keep working whatever a script does to
the modules and builtins around it: see :mod:`eryx_support.builtins_copy`.

Importing the package is cheap: what needs much of the standard library is
imported when a script needs it, and by :func:`seal` for the image.
"""

from eryx_support.builtins_copy import builtins_copy as __builtins__

import os as _os

import _signal  # makes SIGINT a KeyboardInterrupt

from eryx_support.lifecycle import preimport, seal, setup
from eryx_support.restore import on_restore
from eryx_support.script import describe, execute, resets
from eryx_support.session import (
    clear as session_clear,
    finish as session_finish,
    load as session_load,
    run as session_run,
    save as session_save,
)
from eryx_support.streams import flush, prepare as _prepare

__all__ = [
    "describe", "execute", "flush", "flushers", "on_restore", "preimport", "resets", "seal", "session_clear",
    "session_finish", "session_load", "session_run", "session_save", "setup",
]  # fmt: skip

# Where scripts find and leave files, unless they say otherwise.
_HOME = "/home/user"

# What the shim calls, each function with its stream, where no Python can run.
flushers = _prepare()
try:
    _os.chdir(_HOME)
except OSError:
    pass  # the host gave no such directory
