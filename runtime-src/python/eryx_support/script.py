"""Running a user's script from start to exit.

What runs the script's own code is a generator: it yields ``(function,
arguments)`` where the code is to be called, and the shim, which drives it, calls
it there. A suspended generator is on no stack, so that the script's first frame
has nothing below it. Before the generator goes on the shim takes :data:`resets`.
"""

from eryx_support.builtins_copy import builtins_copy as __builtins__

import _ast
import atexit
import builtins
import gc
import linecache
import sys
from functools import partial

from eryx_support import restore, tracing
from eryx_support.code_cache import compile_script
from eryx_support.streams import flush, write_stderr

# The tags of variant outcome.
COMPLETED, RAISED, EXITED, UNSERIALIZABLE = range(4)

_ALLOW_TOP_LEVEL_AWAIT = 0x2000  # ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
_ALLOW_INCOMPLETE = 0x4000 | 0x200  # ... | PyCF_DONT_IMPLY_DEDENT
_ONLY_AST = 0x400  # ast.PyCF_ONLY_AST
_CO_COROUTINE = 0x80  # inspect.CO_COROUTINE

# Looked up here, once: a script can replace them in their modules.
_code_type = type((lambda: None).__code__)
_collect = gc.collect
_compile = builtins.compile
_eval = builtins.eval
_exec = builtins.exec
_excepthook = sys.excepthook
_Interactive = _ast.Interactive
_line_cache = linecache.cache
_module_type = type(sys)
_modules = sys.modules
_recursion_limit = sys.getrecursionlimit()
_run_exit_functions = atexit._run_exitfuncs
_set_profile = sys.setprofile
_set_recursion_limit = sys.setrecursionlimit
_set_trace = sys.settrace

# Steps that end what a script has Python call while it runs. They are the shim's
# to take, for not even a line of this module should run before.
resets = (
    partial(_set_trace, None),
    partial(_set_profile, None),
    *(partial(sys.monitoring.free_tool_id, tool) for tool in range(6) if hasattr(sys, "monitoring")),
)

# Run as if by nobody, like CPython's own: a warning about a coroutine that was
# never awaited says sys:1 rather than a line in here.
_drop_variables = _compile("for name in names: namespace[name] = None\ncollect()", "sys", "exec")

# The names of scripts that define no function, class or the like.
_passing = set()

# The name of the script that runs or ran last.
_filename = "<user>"

# Modules of this package that import much, once they have been needed. They
# are kept here because the import system, too, is open to scripts.
_loaded = {}


def load(name):
    """Returns the module eryx_support.<name>."""
    module = _loaded.get(name)
    if module is None:
        module = _loaded[name] = __import__(f"eryx_support.{name}", fromlist=("*",))
    return module


def describe(exception, *, library=False):
    """An exception's record; the shim calls it for those of its own."""
    try:
        return load("report").describe(exception, _filename, library=library)
    except BaseException:
        # The script may have broken the builtins that the standard library's
        # traceback module works with.
        with _OwnBuiltins():
            report = load("report")
            try:
                return report.describe(exception, _filename, library=library)
            except BaseException:
                pass
            try:
                return report.describe_plainly(exception, _filename, library=library)
            except BaseException:
                return report.describe_briefly(exception)


class _OwnBuiltins:
    """Puts the builtins back that there were, for a time."""

    def __enter__(self):
        self.changed = dict(vars(builtins))
        vars(builtins).update(__builtins__)

    def __exit__(self, *_):
        vars(builtins).update(self.changed)


def _are_builtins_changed():
    now = vars(builtins)
    return any(now.get(name) is not value for name, value in __builtins__.items())


def drive(steps):
    """Does what the shim does with a generator of this module, where there is no
    shim, or where it does not matter what is below the script."""
    resume, value = steps.send, None
    while True:
        try:
            function, arguments = resume(value)
        except StopIteration as end:
            return end.value
        try:
            resume, value = steps.send, function(*arguments)
        except BaseException as exception:
            resume, value = steps.throw, exception
        reset_interpreter()


def execute(source, filename, arguments, environment, entropy, result_name, interactive=False):
    """Runs a script as ``__main__`` and returns ``(tag, payload)``; a generator,
    as the following are.

    ``environment`` is a flat tuple of names and values in turn.
    """
    namespace = None

    def prepare():
        nonlocal namespace
        restore.restore(arguments, environment, entropy)
        namespace = new_main("__main__")
        restore.add_paths(load("callbacks").install(namespace))
        return namespace

    outcome = yield from attempt(
        prepare, source, filename, result_name, compile_interactive if interactive else compile_script
    )
    yield from exit(namespace)
    return outcome


def attempt(prepare, source, filename, result_name, compile):
    """Runs a script in the namespace that prepare() returns, and returns
    ``(tag, payload)``. Its code is what compile(source, filename) returns."""
    try:
        namespace = prepare()
        yield from run(source, filename, namespace, compile)
        outcome = _result(namespace, result_name)
    except SystemExit as exit:
        outcome = EXITED, _exit_code(exit)
    except BaseException as exception:
        reset_interpreter()
        yield from _call_excepthook(exception)
        outcome = RAISED, describe(exception)
    reset_interpreter()
    return outcome


def new_main(name):
    """Makes the module that a script runs as, and returns its namespace."""
    module = _module_type(name)
    module.__builtins__ = builtins
    _modules[name] = module
    return module.__dict__


def run(source, filename, namespace, compile=compile_script):
    """Compiles and runs source in namespace, with an event loop if it awaits."""
    global _filename
    _filename = filename
    source = source.removeprefix("\ufeff")
    if "\0" in source:
        _refuse_nul(source, filename)
    lines = source
    if "\r" in lines:
        lines = lines.replace("\r\n", "\n").replace("\r", "\n")
    # Not splitlines(), which knows more line ends than Python's grammar does.
    lines = [line + "\n" for line in lines.split("\n")] if "\n" in lines else [lines + "\n"]
    _line_cache[filename] = len(source), None, lines, filename
    code = compile(source, filename)
    for constant in code.co_consts:
        if type(constant) is _code_type:
            _passing.discard(filename)
            break
    else:
        _passing.add(filename)
    tracing.start(filename)
    if code.co_flags & _CO_COROUTINE:
        yield from load("loop").run(_eval(code, namespace))
    else:
        yield _eval, (code, namespace)


def compile_interactive(source, filename):
    """Compiles what was typed: the values of its expressions are displayed."""
    try:
        return _compile(source, filename, "single", _ALLOW_TOP_LEVEL_AWAIT | _ALLOW_INCOMPLETE, True)
    except SyntaxError as error:
        if type(error) is not SyntaxError:
            raise
    # Perhaps it is several statements.
    tree = _compile(source, filename, "exec", _ALLOW_TOP_LEVEL_AWAIT | _ONLY_AST, True)
    tree = _Interactive(body=tree.body)
    return _compile(tree, filename, "single", _ALLOW_TOP_LEVEL_AWAIT, True)


def forget_source(filename):
    """Lets the lines of a script go that has ended and left no function."""
    if filename in _passing:
        _passing.discard(filename)
        _line_cache.pop(filename, None)


def _refuse_nul(source, filename):
    at = source.find("\0")
    if at < 0:
        return
    line = source.count("\n", 0, at) + 1
    start = source.rfind("\n", 0, at) + 1
    raise SyntaxError(
        f"source code cannot contain NUL characters (line {line}, column {at - start + 1})",
        (filename, line, at - start + 1, None),
    )


def _result(namespace, name):
    """The variable's value as JSON, if there is such a variable."""
    if not name or name not in namespace:
        return COMPLETED, None
    result = load("result")
    try:
        if _are_builtins_changed():
            with _OwnBuiltins():
                return COMPLETED, result.encode(namespace[name])
        return COMPLETED, result.encode(namespace[name])
    except BaseException as exception:
        reset_interpreter()
        return UNSERIALIZABLE, result.why_not(exception)


def _exit_code(exit):
    """The process exit code that CPython would give for a SystemExit."""
    code = getattr(exit, "code", None)
    if code is None:
        return 0
    if isinstance(code, int):
        return code if -(1 << 31) <= code < 1 << 31 else -1
    try:
        text = str(code)
    except BaseException:
        text = ""
    flush()
    write_stderr(text + "\n")
    return 1


def _call_excepthook(exception):
    """Calls sys.excepthook if the script has set one; by itself nothing is
    printed, for the host gets the exception."""
    hook = getattr(sys, "excepthook", None)
    if hook is None or hook is _excepthook:
        return
    try:
        yield hook, (type(exception), exception, exception.__traceback__)
    except BaseException as error:
        name = type(error).__name__
        write_stderr(f"Error in sys.excepthook: {name}\n")


def reset_interpreter():
    """Takes back what would get into the way of the code that follows."""
    for step in resets:
        try:
            step()
        except BaseException:
            pass
    try:
        _set_recursion_limit(_recursion_limit)
    except BaseException:
        pass


def exit(namespace):
    """What CPython does when a script has ended: exit functions, then the
    script's own variables go, so that __del__ methods run and files are
    written, then the streams."""
    for function in _exit_functions():
        try:
            yield function, ()
        except BaseException:
            pass
    flush()
    yield from clear(namespace or {})
    flush()


def _exit_functions():
    """What is called when a script has ended."""
    # threading._shutdown would also join the threads, of which there are none.
    try:
        functions = [*reversed(_modules["threading"]._threading_atexits)]
    except BaseException:
        functions = []
    return *functions, _run_exit_functions

# One script for each way that most scripts go.
_WARM_UP_SCRIPTS = (
    "x = [1, 2.0, 'three']\nfor y in x: print(y, end='') if not y else str(y)",
    "import json\nresult = {'a': [json.loads('1')]}",
    "import asyncio\nawait asyncio.sleep(0)",
    "def f(): raise ValueError(1)\ntry: f()\nexcept ValueError: f()",
)


def warm_up(rounds):
    """Runs scripts that do nothing, for the image.

    The interpreter specializes bytecode as it runs. It happens once here
    instead of in each sandbox, which then writes to fewer pages.
    """
    global _exit_functions
    functions, _exit_functions = _exit_functions, tuple
    try:
        for _ in range(rounds):
            for source in _WARM_UP_SCRIPTS:
                drive(execute(source, "<user>", (), (), b"", "result"))
    finally:
        _exit_functions = functions


def clear(namespace):
    """Drops a module's variables in CPython's order, names with a leading
    underscore first and builtins not at all, and collects garbage."""
    try:
        names = [name for name in namespace if type(name) is str and name != "__builtins__"]
        names.sort(key=lambda name: name[0] != "_" or name[:2] == "__")
        yield _exec, (_drop_variables, {"names": names, "namespace": namespace, "collect": _collect})
    except BaseException:
        pass
