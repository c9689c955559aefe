"""A session's variables as bytes that another Python of this version can load.

It is pickle, extended to what pickle refuses because it cannot be imported by
name elsewhere: functions and classes of scripts, with their code, their
closures and the cells that they share. Modules are saved by name. What can be
saved neither way is named, with the reason, and left out.

Loading runs code, as unpickling always does; it happens in the sandbox.
"""

from eryx_support.builtins_copy import builtins_copy as __builtins__

import dataclasses
import enum
import functools
import importlib
import importlib.util
import io
import marshal
import pickle
import sys
import types
import typing

from eryx_support import script
from eryx_support.report import shorten, type_name

# What precedes the pickle: the format, and the version of bytecode in it.
_MAGIC = b"eryxvars1\n" + importlib.util.MAGIC_NUMBER

# What a module has of itself.
_OWN = frozenset(vars(types.ModuleType("__main__"))) | {"__builtins__", "__warningregistry__"}

_FUNCTION = types.FunctionType
_CELL = types.CellType
_LRU_CACHE = type(functools.lru_cache(lambda: None))
_MAIN = "__main__"

# Objects that are compared by identity and that pickle would copy.
_SENTINELS = {
    id(getattr(dataclasses, name)): name
    for name in ("MISSING", "KW_ONLY", "_FIELD", "_FIELD_CLASSVAR", "_FIELD_INITVAR", "_HAS_DEFAULT_FACTORY")
    if hasattr(dataclasses, name)
}


def save(variables):
    """Returns ``(bytes, lost)``; lost has names and reasons in turn."""
    # Callbacks are the host's.
    is_installed = script.load("callbacks").is_installed
    kept = {
        name: value
        for name, value in variables.items()
        if type(name) is str and name not in _OWN and not is_installed(name, value)
    }
    lost = []
    try:
        data = _dump(kept, variables)
    except Exception:
        for name, value in list(kept.items()):
            try:
                _dump({name: value}, variables)
            except Exception as exception:
                del kept[name]
                lost += (name, _reason(exception))
        data = _dump(kept, variables)
    return data, tuple(lost)


def load(data, variables):
    """Sets the variables; returns names and reasons of those that could not be."""
    if data[: len(_MAGIC)] != _MAGIC:
        if data[:8] == _MAGIC[:8]:
            raise ValueError("the variables were saved by another version of Python or of this format")
        raise ValueError("this is not what a session's variables are saved as")
    _loading.append(variables)
    try:
        unpickler = pickle.Unpickler(io.BytesIO(data[len(_MAGIC) :]))
        loaded = unpickler.load()
        while cells := unpickler.load():
            for cell, contents in cells:
                cell.cell_contents = contents
    finally:
        _loading.pop()
    if type(loaded) is not dict:
        raise ValueError("the saved variables are damaged")
    lost = []
    for name, value in loaded.items():
        if type(value) is _Missing:
            lost += (name, value.reason)
        elif type(name) is str and name not in _OWN:
            variables[name] = value
    return tuple(lost)


def _reason(exception):
    text = f"{type_name(type(exception))}: {exception}"
    # Pickle notes where in the value it was, innermost first; the last is the
    # variable.
    notes = [note for note in getattr(exception, "__notes__", ()) if type(note) is str][:-1]
    return shorten(text if not notes else f"{text} ({', '.join(notes)})")


def _dump(kept, variables):
    buffer = io.BytesIO()
    buffer.write(_MAGIC)
    pickler = _Pickler(buffer, variables)
    # Nothing is saved as a name in this module: there, it will be another one.
    main = sys.modules.pop(_MAIN, None)
    try:
        pickler.dump(kept)
        # What is in cells comes after all functions, which may be in it. The
        # memo goes on, so that it is the same functions.
        while cells := pickler.cells:
            pickler.cells = []
            pickler.dump([(cell, contents) for cell, contents in cells])
        pickler.dump([])
    finally:
        if main is not None:
            sys.modules[_MAIN] = main
    return buffer.getvalue()


class _Missing:
    """Stands for a module that is not here."""

    def __init__(self, reason):
        self.reason = reason


# The namespace that is being loaded into.
_loading = []


class _Pickler(pickle.Pickler):
    def __init__(self, file, variables):
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self.variables = variables
        self.cells = []

    def reducer_override(self, thing):
        kind = type(thing)
        if kind is _FUNCTION:
            return NotImplemented if _importable(thing) else self._function(thing)
        if isinstance(thing, type):
            if thing in _NAMELESS:
                return _nameless, (_NAMELESS[thing],)
            return NotImplemented if _importable(thing) else self._class(thing)
        reduce = _reducers.get(kind)
        if reduce is not None:
            return reduce(thing)
        if kind is _CELL:
            return self._cell(thing)
        if id(thing) in _SENTINELS:
            return getattr, (dataclasses, _SENTINELS[id(thing)])
        return NotImplemented

    def _cell(self, cell):
        try:
            contents = cell.cell_contents
        except ValueError:  # empty
            return _make_cell, ()
        self.cells.append((cell, contents))
        return _make_cell, ()

    def _function(self, function):
        state = {
            "__defaults__": function.__defaults__,
            "__kwdefaults__": function.__kwdefaults__,
            "__dict__": dict(function.__dict__),
            "__doc__": function.__doc__,
            "__module__": function.__module__,
            "__qualname__": function.__qualname__,
            "__annotate__": function.__annotate__,
            "__type_params__": function.__type_params__,
        }
        if state["__annotate__"] is None and function.__annotations__:
            state["__annotations__"] = function.__annotations__
        arguments = function.__code__, self._globals(function), function.__name__, function.__closure__
        return _make_function, arguments, state, None, None, _set_function

    def _globals(self, function):
        scope = function.__globals__
        if scope is self.variables or scope.get("__name__") == _MAIN:
            return None
        name = scope.get("__name__")
        if scope is getattr(sys.modules.get(name), "__dict__", None):
            return name
        return scope

    def _class(self, cls):
        attributes = dict(vars(cls))
        for name in ("__dict__", "__weakref__", "_abc_impl", "__annotations_cache__"):
            attributes.pop(name, None)
        if isinstance(cls, enum.EnumType):
            return self._enum(cls, attributes)
        slots = attributes.get("__slots__")
        given = {"__module__": cls.__module__, "__qualname__": cls.__qualname__}
        if slots is not None:
            given["__slots__"] = slots
            for name in (slots,) if type(slots) is str else slots:
                if name.startswith("__") and not name.endswith("__"):
                    name = f"_{cls.__name__.lstrip('_')}{name}"
                attributes.pop(name, None)
        if "__orig_bases__" in attributes:  # which Generic looks for
            given["__orig_bases__"] = attributes["__orig_bases__"]
        for name in given:
            attributes.pop(name, None)
        arguments = type(cls), cls.__name__, cls.__bases__, given
        return _make_class, arguments, attributes, None, None, _set_class

    def _enum(self, cls, attributes):
        members = {name: member._value_ for name, member in cls.__members__.items()}
        for name in list(attributes):
            if name in members or name.startswith(("_member_", "_value2member", "_unhashable_", "_hashable_", "_sort_order_")):
                del attributes[name]
            elif name in _ENUM_MADE:
                del attributes[name]
        arguments = type(cls), cls.__bases__, cls.__name__, cls.__qualname__, cls.__module__, members
        return _make_enum, arguments, attributes, None, None, _set_class


_ENUM_MADE = frozenset((
    "__new__", "__new_member__", "_new_member_", "_use_args_", "_boundary_", "_flag_mask_", "_singles_mask_",
    "_all_bits_", "_inverted_", "_generate_next_value_", "__module__", "__qualname__", "__reduce_ex__",
))  # fmt: skip


def _importable(thing):
    """Whether another Python finds it by its name."""
    name = getattr(thing, "__module__", None)
    if type(name) is not str or name == _MAIN:
        return False
    found = sys.modules.get(name)
    for part in getattr(thing, "__qualname__", "").split("."):
        found = getattr(found, part, None)
    return found is thing


# Types that have no name in builtins.
_NAMELESS = {
    type(None): "NoneType", type(...): "EllipsisType", type(NotImplemented): "NotImplementedType",
    types.FunctionType: "FunctionType", types.ModuleType: "ModuleType", types.CodeType: "CodeType",
    types.GeneratorType: "GeneratorType", types.CoroutineType: "CoroutineType", types.MethodType: "MethodType",
    types.BuiltinFunctionType: "BuiltinFunctionType", types.CellType: "CellType",
    types.MappingProxyType: "MappingProxyType", types.SimpleNamespace: "SimpleNamespace",
}  # fmt: skip


def _nameless(name):
    return getattr(types, name)


def _reduce_module(module):
    name = module.__name__
    if sys.modules.get(name) is not module:
        raise pickle.PicklingError(f"the module {name!r} cannot be imported by its name")
    return _import, (name,)


def _reduce_lru_cache(cached):
    if _importable(cached):
        return cached.__reduce__()
    parameters = cached.cache_parameters()
    return _make_lru_cache, (cached.__wrapped__, parameters["maxsize"], parameters["typed"])


def _reduce_type_variable(variable):
    if _importable(variable):
        return variable.__reduce__()
    arguments = {"name": variable.__name__}
    if type(variable) is not typing.TypeVarTuple:
        arguments.update(
            bound=variable.__bound__, covariant=variable.__covariant__, contravariant=variable.__contravariant__,
            infer_variance=variable.__infer_variance__,
        )  # fmt: skip
    constraints = getattr(variable, "__constraints__", ())
    if variable.has_default():
        arguments["default"] = variable.__default__
    return _make_type_variable, (type(variable), constraints, arguments)


def _reduce_descriptor(descriptor):
    return _descriptor, (descriptor.__objclass__, descriptor.__name__)


_reducers = {
    types.GetSetDescriptorType: _reduce_descriptor,
    types.MemberDescriptorType: _reduce_descriptor,
    types.ModuleType: _reduce_module,
    types.CodeType: lambda code: (_make_code, (marshal.dumps(code),)),
    types.MappingProxyType: lambda proxy: (types.MappingProxyType, (dict(proxy),)),
    property: lambda p: (property, (p.fget, p.fset, p.fdel, p.__doc__)),
    classmethod: lambda method: (classmethod, (method.__func__,)),
    staticmethod: lambda method: (staticmethod, (method.__func__,)),
    types.NotImplementedType: lambda _: "NotImplemented",
    _LRU_CACHE: _reduce_lru_cache,
    typing.TypeVar: _reduce_type_variable,
    typing.ParamSpec: _reduce_type_variable,
    typing.TypeVarTuple: _reduce_type_variable,
}


# What follows is called by what was pickled.


def _import(name):
    try:
        return importlib.import_module(name)
    except Exception as exception:
        return _Missing(_reason(exception))


def _descriptor(owner, name):
    return vars(owner)[name]


def _make_code(data):
    return marshal.loads(data)


def _make_cell():
    return _CELL()


def _make_function(code, scope, name, closure):
    if scope is None:
        scope = _loading[-1]
    elif type(scope) is str:
        scope = vars(importlib.import_module(scope))
    return _FUNCTION(code, scope, name, None, closure)


def _set_function(function, state):
    function.__dict__.update(state.pop("__dict__"))
    for name, value in state.items():
        if value is not None:
            setattr(function, name, value)


def _make_class(metaclass, name, bases, attributes):
    # Not the metaclass's own way of making classes, which may count, register
    # or change them a second time.
    return type.__new__(metaclass, name, bases, attributes)


def _set_class(cls, attributes):
    for name, value in attributes.items():
        type.__setattr__(cls, name, value)


def _make_enum(metaclass, bases, name, qualname, module, members):
    body = metaclass.__prepare__(name, bases)
    for member, value in members.items():
        body[member] = value
    body["__module__"], body["__qualname__"] = module, qualname
    return metaclass.__new__(metaclass, name, bases, body)


def _make_lru_cache(function, maxsize, typed):
    return functools.lru_cache(maxsize, typed)(function)


def _make_type_variable(kind, constraints, arguments):
    name = arguments.pop("name")
    return kind(name, *constraints, **arguments)
