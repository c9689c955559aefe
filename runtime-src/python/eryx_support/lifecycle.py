"""From a started interpreter to a memory image: imports, set-up, sealing."""

from eryx_support.builtins_copy import builtins_copy as __builtins__

import gc
import os
import sys

from eryx_support import restore, script, session
from eryx_support.streams import flush

# The tags of result<_, exception>.
_OK, _ERROR = 0, 1

_CODE = type(script.run.__code__)
_FRAME = type(sys._getframe())

# The module that a setup script runs as, so that what it defines can be
# pickled, and imported by scripts.
_SETUP = "__setup__"

# What has been going on since when: the ids of objects that cannot be
# restored, with a phrase for the import or script that brought them.
_origins = {}

# How often scripts are run before sealing. Bytecode is specialized after a few.
_WARM_UP_ROUNDS = 16


def immortalize(thing):
    """Makes an object immortal and returns whether it was not. Only the shim
    can do that; it replaces this function."""
    return False


def preimport(name):
    """Imports a module for the image."""
    try:
        restore.watch()
        if not name or not all(part.isidentifier() for part in name.split(".")):
            raise ImportError(f"{name!r} is not the name of a module", name=name)
        __import__(name)
        if "asyncio" in sys.modules:
            script.load("loop")  # the loop that a sandbox has works here, too
    except BaseException as exception:
        flush()
        return _ERROR, script.describe(exception, library=True)
    _note_origins(f"import of {name}")
    flush()
    return _OK, None


def setup(source, filename):
    """Runs a script for the image, in a namespace that stays; a generator, like
    those of :mod:`eryx_support.script`."""
    try:
        restore.watch()
        yield from script.run(source, filename, script.new_main(_SETUP))
    except BaseException as exception:
        flush()
        return _ERROR, script.describe(exception, library=True)
    _note_origins(f"setup script {filename}")
    flush()
    return _OK, None


def seal():
    """Makes memory ready to be an image; says what cannot be part of one."""
    try:
        return _OK, _seal()
    except BaseException as exception:
        flush()
        return _ERROR, script.describe(exception, library=True)


def _seal():
    # What an execution may need is imported here, once.
    for module in ("callbacks", "loop", "report", "result", "refusals"):
        script.load(module)
    script.load("report").install()
    if not hasattr(os, "fork"):  # the tests of this package run where there are processes
        script.load("refusals").install()
    restore.prepare()
    gc.collect()
    _note_origins("sealing")
    problems = tuple(
        f"{sentence} (since the {_origins[id(thing)]})" for thing, sentence in _unrestorable()
    )
    main = sys.modules.get("__main__")
    script.warm_up(_WARM_UP_ROUNDS)
    session.warm_up(_WARM_UP_ROUNDS)
    modules = tuple(sorted(name for name in sys.modules if type(name) is str))
    flush()
    gc.collect()
    _make_immortal(gc.get_objects())
    gc.freeze()
    sys.modules["__main__"] = main
    return problems, modules


def _make_immortal(things):
    """Stops counting references to what the image consists of.

    It would never be freed in a sandbox, which does not live long; but each
    reference to it that comes or goes would write to its page, and so make a
    private copy of that.
    """
    for thing in things:
        if type(thing) is not _FRAME:
            _make_one_immortal(thing)


def _make_one_immortal(thing):
    if not immortalize(thing):
        return
    parts = gc.get_referents(thing)
    if type(thing) is _CODE:
        parts = (thing.co_consts, thing.co_names, thing.co_name, thing.co_qualname, thing.co_filename)
    for part in parts:
        if not gc.is_tracked(part):  # what is tracked is among things
            _make_one_immortal(part)


def _note_origins(origin):
    for thing, _ in _unrestorable():
        _origins.setdefault(id(thing), origin)


def _unrestorable():
    """Yields (object, sentence) for whatever an image cannot hold.

    The host sees open descriptors as well; here they have names.
    """
    modules = sys.modules
    socket_type = getattr(modules.get("_socket"), "socket", None)
    task_types = tuple(
        getattr(modules[name], "Task") for name in ("_asyncio", "asyncio") if name in modules
    )
    loop_type = getattr(modules.get("asyncio"), "AbstractEventLoop", None)
    file_type = modules["_io"].FileIO
    for thing in gc.get_objects():
        cls = type(thing)
        try:
            if issubclass(cls, file_type):
                if not thing.closed and thing.fileno() > 2:
                    yield thing, f"the file {thing.name!r} is open"
            elif socket_type is not None and issubclass(cls, socket_type):
                if thing.fileno() >= 0:
                    yield thing, f"a socket is open: {thing!r}"
            elif task_types and issubclass(cls, task_types):
                if not thing.done():
                    yield thing, f"the asyncio task {thing.get_name()!r} has not ended"
            elif loop_type is not None and issubclass(cls, loop_type):
                if not thing.is_closed():
                    yield thing, f"an asyncio event loop has not been closed: {thing!r}"
        except Exception:
            continue  # half-initialized, or not what its class says it is
    threading = modules.get("threading")
    for thread in threading.enumerate() if threading is not None else ():
        if thread is not threading.main_thread():
            yield thread, f"the thread {thread.name!r} is running"
