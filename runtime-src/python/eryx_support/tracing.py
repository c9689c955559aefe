"""What the user's code does, told to the host as it happens.

Off, which is the default, nothing is installed. On, a tool of sys.monitoring
(PEP 669) is: the start of every function is an event, and the first one of a
function decides. If it is not the user's its start is disabled, so that
libraries run at their usual speed; otherwise its lines and its ends become
events as well. The callbacks themselves are the shim's (shim/trace.c).
"""

from eryx_support.builtins_copy import builtins_copy as __builtins__

import sys

_NAME = "eryx"
# Which of the six tools, in order of preference: the others have a meaning.
_TOOLS = (4, 3, 5, 2, 1, 0)

_LINES, _EXCEPTIONS = 1, 4

# Looked up here, once: a script can replace them. The tests of this package run
# in Pythons that have no monitoring, too, where nothing is traced.
if monitoring := getattr(sys, "monitoring", None):
    _events = monitoring.events
    _DISABLE = monitoring.DISABLE
    _free_tool_id = monitoring.free_tool_id
    _get_tool = monitoring.get_tool
    _register_callback = monitoring.register_callback
    _set_events = monitoring.set_events
    _set_local_events = monitoring.set_local_events
    _use_tool_id = monitoring.use_tool_id
else:
    _DISABLE = None

_tool = None
_local_events = 0


def start(filename):
    """Begins to trace a script, if the host wants that; ends what there was."""
    global _tool, _local_events
    if _tool is not None:
        if _get_tool(_tool) == _NAME:
            _free_tool_id(_tool)
        _tool = None
    wanted = begin(filename, _watch, describe, _DISABLE)
    if not wanted:
        return
    _tool = next((tool for tool in _TOOLS if _get_tool(tool) is None), None)
    if _tool is None:
        raise RuntimeError("all tools of sys.monitoring are in use: this execution cannot be traced")
    _use_tool_id(_tool, _NAME)
    callbacks = {
        _events.PY_START: on_start,
        _events.PY_RESUME: on_resume,
        _events.PY_THROW: on_resume,
        _events.PY_RETURN: on_return,
        _events.PY_YIELD: on_yield,
        _events.PY_UNWIND: on_unwind,
    }
    # What is not in PEP 669's local events cannot be had for a function alone.
    everywhere = _events.PY_START | _events.PY_THROW | _events.PY_UNWIND
    _local_events = _events.PY_RESUME | _events.PY_RETURN | _events.PY_YIELD
    if wanted & _LINES:
        callbacks[_events.LINE] = on_line
        _local_events |= _events.LINE
    if wanted & _EXCEPTIONS:
        callbacks[_events.RAISE] = on_raise
        callbacks[_events.RERAISE] = on_reraise
        callbacks[_events.EXCEPTION_HANDLED] = on_handled
        everywhere |= _events.RAISE | _events.RERAISE | _events.EXCEPTION_HANDLED
    for event, function in callbacks.items():
        _register_callback(_tool, event, function)
    _set_events(_tool, everywhere)


def _watch(code):
    """Called by the shim for code of the user's."""
    _set_local_events(_tool, code, _local_events)


# What is in the instance and the class of an exception, whatever they say.
_get_args = BaseException.args.__get__
_get_mro = type.__dict__["__mro__"].__get__
_get_dict = type.__dict__["__dict__"].__get__
_get_module = type.__dict__["__module__"].__get__
_get_qualname = type.__dict__["__qualname__"].__get__
_PLAIN = (str, int, float, bool, bytes, type(None))
_SLOT = type(BaseException.__str__)
_MAX_TEXT = 4096


def describe(exception):
    """Returns an exception's (type name, message).

    Nothing of the script's is run for it: a message that a class of the
    script's puts together is not known, so what the exception was made with
    stands in for it.
    """
    try:
        cls = type(exception)
        module, name = _get_module(cls), _get_qualname(cls)
        if type(module) is str and module not in ("builtins", "__main__"):
            name = f"{module}.{name}"
    except BaseException:
        return "<unnamed>", ""
    try:
        for argument in _get_args(exception):
            if type(argument) not in _PLAIN:
                return name, ""
        convert = next(d["__str__"] for d in map(_get_dict, _get_mro(cls)) if "__str__" in d)
        if type(convert) is not _SLOT:
            convert = BaseException.__str__
        return name, convert(exception)[:_MAX_TEXT]
    except BaseException:
        return name, ""


# The shim replaces these.


def begin(filename, watch, describe, disable):
    return 0


on_start = on_resume = on_return = on_yield = on_unwind = None
on_line = on_raise = on_reraise = on_handled = None
