"""Scripts that share one namespace, and what becomes of it.

The counterpart of :mod:`eryx_support.script` for sessions: variables, imports
and everything else stay as a script leaves them, whether it fails or not, and
exit functions run when the session is closed. What runs code of the session's
is a generator, as there.
"""

from eryx_support.builtins_copy import builtins_copy as __builtins__

import builtins

from eryx_support import code_cache, restore, script
from eryx_support.streams import flush

# The tags of result<_, exception>.
_OK, _ERROR = 0, 1

_ABSENT = object()
_attempt = script.attempt

# The module's dictionary that scripts run in; None before the first.
_namespace = None

# The arguments and the environment as the host gave them last.
_given = None


def namespace():
    """Returns the session's variables."""
    global _namespace
    if _namespace is None:
        _namespace = script.new_main("__main__")
    return _namespace


def run(source, filename, arguments, environment, entropy, result_name, interactive=False):
    """Runs a script in the session and returns ``(tag, payload)``."""
    variables = namespace() if _namespace is None else _namespace
    if entropy or _given != (arguments, environment):
        prepare = _preparing(arguments, environment, entropy, variables)
    else:
        prepare = _prepare
    compile = script.compile_interactive if interactive else code_cache.compile_again
    try:
        if result_name in variables:
            return (yield from _run_again(prepare, source, filename, result_name, compile, variables))
        return (yield from _attempt(prepare, source, filename, result_name, compile))
    finally:
        script.forget_source(filename)
        flush()


def _preparing(arguments, environment, entropy, variables):
    def prepare():
        global _given
        given = arguments, environment
        if _given != given:
            restore.set_world(arguments, environment)
            _given = given
        if entropy:
            restore.reseed(entropy)
        return _prepare()

    return prepare


def _prepare():
    """Brings the callbacks in the session's variables up to date."""
    variables = namespace()
    if paths := script.load("callbacks").renew(variables):
        restore.add_paths(paths)
    return variables


def _run_again(prepare, source, filename, result_name, compile, variables):
    """Runs a script where there is a result of an earlier one.

    The value of one script is not the next one's: until that one sets the
    variable itself, the old value is where builtins are.
    """
    scope = vars(builtins)
    shadowed = scope.get(result_name, _ABSENT)
    old = scope[result_name] = variables.pop(result_name)
    try:
        return (yield from _attempt(prepare, source, filename, result_name, compile))
    finally:
        if shadowed is not _ABSENT:
            scope[result_name] = shadowed
        else:
            scope.pop(result_name, None)
        variables.setdefault(result_name, old)


def clear():
    """Deletes the variables."""
    return _guarded(_clear())


def _clear():
    global _namespace
    variables, _namespace = _namespace, None
    yield from script.clear(variables or {})
    if variables is not None:
        # Functions that are still referred to from elsewhere keep this one.
        variables.clear()


def finish():
    """Does what CPython does when a script has ended."""
    return _guarded(_finish())


def _finish():
    global _namespace
    variables, _namespace = _namespace, None
    yield from script.exit(variables)


def save():
    """Returns the variables as bytes, and names and reasons, in turn, of those
    that could not be saved."""
    return _guarded(_called(lambda: script.load("portable").save(namespace())))


def load(data):
    """Sets variables from what save() returned; names and reasons as there."""
    return _guarded(_called(lambda: (b"", script.load("portable").load(data, namespace()))))


def _called(function):
    return (yield function, ())


def _guarded(steps):
    try:
        if paths := script.load("callbacks").refresh():
            restore.add_paths(paths)
        return _OK, (yield from steps)
    except BaseException as exception:
        return _ERROR, script.describe(exception)
    finally:
        script.reset_interpreter()
        flush()


def warm_up(rounds):
    """Runs scripts that do nothing, for the image, like the function in script."""
    global _namespace, _given
    for n in range(rounds):
        for source in ("x = 1", "x += 1\nprint(end='')", "result = x", f"x = {n}"):
            script.drive(run(source, "<user>", (), (), b"", "result"))
    code_cache.clear()
    _namespace = _given = None
