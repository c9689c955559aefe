"""Functions of the host, as asynchronous functions of the script.

A callback that the host knows as ``search.query`` is the attribute ``query`` of
the namespace ``search``; both are globals of the script, unless they have the
name of a builtin. Calling one gives something to await: the arguments are
checked and converted at once, and the call is made when it is awaited.

A call that has finished when the host function returns costs no turn of the
event loop. Any other is a future, which the loop completes (see
:mod:`eryx_support.loop`).
"""

from eryx_support.builtins_copy import builtins_copy as __builtins__

import builtins
import keyword
import warnings
from asyncio import _get_running_loop
from json import JSONDecoder, encoder, scanner
from math import ceil

from eryx_support import hostcalls as host

_is_keyword = keyword.iskeyword
_is_builtin = vars(builtins).__contains__
_warn = warnings.warn

# After so many calls that were done at once other tasks get a turn.
_CALLS_PER_TURN = 32

# The most arguments of one call that can be bytes.
_MAX_BINARY = 64

# Futures of calls that are under way, by number.
pending = {}

_done_at_once = 0

# Counts scripts: numbers of calls begin anew with each.
_script = 0

_start = host.start


class CallbackError(RuntimeError):
    """A callback failed, or could not be called.

    ``name`` is that of the callback.
    """

    __module__ = "eryx"

    def __init__(self, message, name="", call=0):
        super().__init__(message)
        self.name = name
        self._call = call
        self._script = _script

    def __reduce__(self):
        return type(self), (*self.args[:1], self.name)


class CallbackTimeoutError(CallbackError, TimeoutError):
    """A callback did not return in its time."""

    __module__ = "eryx"


class CallbackLimitError(CallbackError):
    """The script has made as many calls as it may."""

    __module__ = "eryx"


_get_dict = BaseException.__dict__["__dict__"].__get__

_ERRORS = {host.TIMED_OUT: CallbackTimeoutError, host.EXHAUSTED: CallbackLimitError}


def call_of(exception):
    """The number of the call of this script whose failure an exception is, or 0."""
    if issubclass(type(exception), CallbackError):  # it can say anything of its class
        known = _get_dict(exception)
        number = known.get("_call", 0)
        if type(number) is int and 0 <= number < 1 << 32 and known.get("_script") == _script:
            return number
    return 0


# JSON. The C functions are called without the classes around them, which make
# new ones for each value.


def _refuse(value):
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


_markers = {}
_encode = encoder.c_make_encoder(
    _markers, _refuse, encoder.encode_basestring, None, ":", ",", False, False, False
)
_scan = scanner.c_make_scanner(JSONDecoder())


class _Signature:
    """What the host says of a callback."""

    __slots__ = ("binary", "description", "known", "names", "open", "parameters", "required")

    def __init__(self, name, text):
        described = _scan(text, 0)[0]
        if "error" in described:
            raise CallbackError(f"{name}(): {described['error']}", name)
        self.description = described["description"]
        self.parameters = described["parameters"]
        self.names = described["names"]
        self.known = frozenset(self.names)
        self.required = described["required"]
        self.binary = {key: self.names.index(key) for key in described["binary"]}
        self.open = described["open"]


class Callback:
    """An asynchronous function of the host.

    There is one for each name, for as long as the interpreter lives: what a
    script has kept of it is the function that the host has by that name now.
    """

    __slots__ = ("__name__", "__qualname__", "_index", "_known_signature")

    def __init__(self, name, index):
        self.__name__ = self.__qualname__ = name
        self._index = index
        self._known_signature = None

    def __call__(self, /, *args, **kwargs):
        text, binary = self._bind(args, kwargs)
        return Call(self, text, binary)

    def sync(self, /, *args, **kwargs):
        """Calls it and waits for its result, in code that is not async.

        Nothing else of the script runs meanwhile, tasks included.
        """
        text, binary = self._bind(args, kwargs)
        return self._wait_for(text, binary)

    @property
    def __doc__(self):
        return self._signature().description or None

    @property
    def __signature__(self):
        import inspect

        signature = self._signature()
        kind, empty = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.empty
        names = [n for n in signature.names if n.isidentifier() and not _is_keyword(n)]
        names.sort(key=lambda name: name not in signature.required)
        parameters = [
            inspect.Parameter(n, kind, default=empty if n in signature.required else None) for n in names
        ]
        if signature.open:
            parameters.append(inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD))
        return inspect.Signature(parameters)

    def __repr__(self):
        return f"<callback {self.__name__}>"

    def __reduce__(self):
        return find, (self.__name__,)

    def _signature(self):
        signature = self._known_signature
        if signature is None:
            index = self._index
            if index is None:
                raise self._gone()
            signature = self._known_signature = _Signature(self.__name__, host.describe(index))
        return signature

    def _gone(self):
        return CallbackError(f"there is no callback {self.__name__!r} any more", self.__name__)

    def _bind(self, args, kwargs):
        """The arguments as (JSON, (parameter, bytes) pairs)."""
        signature = self._known_signature
        if signature is None:
            signature = self._signature()
        if args:
            names = signature.names
            if len(args) == 1 and not kwargs and names:
                kwargs = {names[0]: args[0]}
            else:
                kwargs = self._name_arguments(names, args, kwargs)
        for name in signature.required:
            if name not in kwargs:
                raise self._missing(signature, kwargs)
        if not signature.open and not signature.known.issuperset(kwargs):
            name = next(name for name in kwargs if name not in signature.known)
            raise TypeError(f"{self.__name__}() got an unexpected keyword argument {name!r}")
        binary = ()
        if signature.binary:
            binary = self._take_binary(signature, kwargs)
        try:
            text = "".join(_encode(kwargs, 0))
            if not text.isascii():
                text.encode()
        except BaseException as exception:
            _markers.clear()
            raise self._unencodable(kwargs, exception) from None
        return text, binary

    def _name_arguments(self, names, args, kwargs):
        if len(args) > len(names):
            raise TypeError(
                f"{self.__name__}() takes {len(names)} positional argument{'s' * (len(names) != 1)} "
                f"but {len(args)} {'was' if len(args) == 1 else 'were'} given"
            )
        named = dict(zip(names, args))
        for name in named:
            if name in kwargs:
                raise TypeError(f"{self.__name__}() got multiple values for argument {name!r}")
        named.update(kwargs)
        return named

    def _missing(self, signature, kwargs):
        missing = [name for name in signature.required if name not in kwargs]
        return TypeError(
            f"{self.__name__}() missing {len(missing)} required "
            f"argument{'s' * (len(missing) != 1)}: {_enumeration(missing)}"
        )

    def _take_binary(self, signature, kwargs):
        binary = []
        for name, parameter in signature.binary.items():
            value = kwargs.get(name)
            if isinstance(value, (bytes, bytearray, memoryview)):
                del kwargs[name]
                binary.append((parameter, bytes(value)))
        if len(binary) > _MAX_BINARY:
            raise TypeError(f"{self.__name__}() got more than {_MAX_BINARY} arguments that are bytes")
        return tuple(binary)

    def _unencodable(self, kwargs, exception):
        """The exception for arguments that are not JSON, naming the first."""
        kinds = (TypeError, ValueError, RecursionError)
        if not isinstance(exception, kinds):
            return exception
        name = None
        for name, value in kwargs.items():
            try:
                "".join(_encode({name: value}, 0)).encode()
            except kinds as again:
                exception = again
                break
            except BaseException as other:
                return other
            finally:
                _markers.clear()
        if isinstance(exception, UnicodeEncodeError):
            what = f"a lone surrogate ({exception.object[exception.start]!r}) is not Unicode text"
        else:
            what = str(exception)
        kind = next(kind for kind in kinds if isinstance(exception, kind))
        return kind(f"{self.__name__}() argument {name!r}: {what}")

    def _wait_for(self, text, binary):
        index = self._index
        if index is None:
            raise self._gone()
        outcome = _start(index, text, binary)
        if type(outcome) is int:
            call = outcome
            try:
                while type(outcome) is int:  # unless an interrupt has ended the wait
                    outcome = host.join(call)
            except BaseException:
                host.cancel(call)
                raise
        return self._value(outcome)

    def _value(self, outcome):
        """The value of a call, or its exception."""
        if type(outcome) is str:
            try:
                return _scan(outcome, 0)[0]
            except (ValueError, StopIteration) as exception:
                raise CallbackError(
                    f"{self.__name__}() returned what Python cannot hold: {exception}", self.__name__
                ) from None
        if type(outcome) is bytes:
            return outcome
        if isinstance(outcome, BaseException):
            raise outcome
        state, message, call = outcome
        if state == host.REFUSED:
            raise TypeError(f"{self.__name__}(): {message}")
        raise _ERRORS.get(state, CallbackError)(f"{self.__name__}(): {message}", self.__name__, call)


def _enumeration(names):
    names = [repr(name) for name in names]
    if len(names) == 1:
        return names[0]
    return f"{', '.join(names[:-1])}{',' * (len(names) > 2)} and {names[-1]}"


class Call:
    """A call of a callback that is to be awaited: a coroutine in all but type."""

    __slots__ = ("__weakref__", "_binary", "_callback", "_steps", "_text")

    def __init__(self, callback, text, binary):
        self._callback = callback
        self._text = text
        self._binary = binary
        self._steps = None

    def __await__(self):
        if self._steps is not None:
            raise RuntimeError(f"this call of {self._callback.__name__}() has been awaited already")
        self._steps = steps = self._run()
        return steps

    def send(self, value):
        steps = self._steps
        if steps is None:
            self._steps = steps = self._run()
        return steps.send(value)

    def throw(self, *exception):
        if self._steps is None:
            self._steps = self._run()
        return self._steps.throw(*exception)

    def close(self):
        if self._steps is None:
            self._steps = self._run()
        self._steps.close()

    def _run(self):
        global _done_at_once
        callback = self._callback
        index = callback._index
        if index is None:
            raise callback._gone()
        outcome = _start(index, self._text, self._binary)
        self._text = None
        if type(outcome) is int:
            outcome = yield from _finish(outcome)
        elif _done_at_once >= _CALLS_PER_TURN:
            _done_at_once = 0
            yield
        else:
            _done_at_once += 1
        if type(outcome) is str:
            try:
                return _scan(outcome, 0)[0]
            except (ValueError, StopIteration):
                pass  # looked at again, to say why
        return callback._value(outcome)

    def __del__(self):
        if self._steps is None:
            name = self._callback.__name__
            _warn(
                f"{name}() was called but never awaited: write `await {name}(...)`, "
                f"or {name}.sync(...) where there can be no await",
                RuntimeWarning,
                stacklevel=2,
            )

    def __repr__(self):
        return f"<call of the callback {self._callback.__name__}>"

    def __getattr__(self, name):
        callback = self._callback.__name__
        raise AttributeError(
            f"{callback}() gives its result when it is awaited: write `await {callback}(...)`, "
            f"or {callback}.sync(...) where there can be no await",
            name=name,
        )


# What an operator says of one: "unsupported operand type(s) for +: ...".
Call.__name__ = Call.__qualname__ = "callback call that was not awaited"


def _finish(call):
    """Waits for a call that is under way, as a generator."""
    loop = _get_running_loop()
    if loop is None:
        host.cancel(call)
        raise RuntimeError("there is no event loop that could wait for the call")
    pending[call] = future = loop.create_future()
    try:
        return (yield from future)
    except BaseException:
        if pending.get(call) is future:  # and no call of a later script
            del pending[call]
            host.cancel(call)
        raise


def deliver(timeout):
    """Waits for calls, at most timeout seconds or, if that is None, without
    limit, and completes their futures."""
    if timeout is None:
        nanoseconds = 0xFFFF_FFFF_FFFF_FFFF
    else:
        nanoseconds = min(ceil(timeout * 1e9), 1 << 62) if timeout > 0 else 0
    for call, outcome in host.wait(nanoseconds):
        future = pending.pop(call, None)
        if future is not None and not future.done():
            future.set_result(outcome)


def interrupt_poll():
    """Lets the next wait for files end when a call has finished."""
    host.interrupt_poll()


class Namespace:
    """Callbacks whose names begin alike."""

    __slots__ = ("_members", "_name")

    def __init__(self, name):
        self._name = name
        self._members = None  # until they are needed

    def __getattr__(self, name):
        members = _members_of(self)
        try:
            return members[name]
        except KeyError:
            raise AttributeError(
                f"there is no callback {self._prefixed(name)!r}{_suggestion(name, members)}", name=name
            ) from None

    def __getitem__(self, name):
        try:
            return _members_of(self)[name]
        except KeyError:
            raise KeyError(f"there is no callback {self._prefixed(name)!r}") from None

    def _prefixed(self, name):
        return f"{self._name}.{name}" if self._name else str(name)

    def __contains__(self, name):
        return name in _members_of(self)

    def __iter__(self):
        return iter(_members_of(self))

    def __len__(self):
        return len(_members_of(self))

    def __dir__(self):
        return sorted(_members_of(self))

    def __repr__(self):
        return f"<callbacks {self._name}>" if self._name else "<callbacks>"

    def __reduce__(self):
        return find, (self._name,)


def _members_of(space):
    """The callbacks and namespaces in a namespace, by the next part of the name.

    They are made here, when they are first asked for: a script uses few of what
    a host may offer.
    """
    members = space._members
    if members is None:
        prefix = space._prefixed("")
        names = [name[len(prefix) :] for name in _numbers if name.startswith(prefix)]
        members = {}
        for part in dict.fromkeys([name.partition(".")[0] for name in names]):
            name = prefix + part
            members[part] = _callback(name) if name in _numbers else Namespace(name)
        space._members = members
    return members


def _callback(name):
    """The callback of a name that there is."""
    callback = _ever.get(name)
    if callback is None:
        callback = _ever[name] = Callback(name, _numbers[name])
    return callback


def _suggestion(name, names):
    import difflib

    close = difflib.get_close_matches(name, list(names), 1)
    return f"; did you mean {close[0]!r}?" if close else ""


# The numbers of all callbacks by name, and the namespace of all.
_numbers = {}
root = Namespace("")

# The objects of those that were used, also such as are no more, by name.
_ever = {}


def find(name):
    """The callback or namespace of a name."""
    if name == "":
        return root
    if name in _numbers:
        return _callback(name)
    found = root
    try:
        for part in name.split("."):
            found = _members_of(found)[part]
        return found
    except (AttributeError, KeyError):
        raise CallbackError(
            f"there is no callback {name!r}{_suggestion(name, _numbers)}", name
        ) from None


def invoke(name, /, *args, **kwargs):
    """Calls the callback of a name; to be awaited."""
    if type(name) is not str:
        raise TypeError(f"the name of a callback is a str, not {type(name).__name__}")
    callback = find(name)
    if type(callback) is not Callback:
        raise CallbackError(f"{name!r} is a group of callbacks, not one", name)
    return callback(*args, **kwargs)


def list_callbacks():
    """All callbacks as dictionaries of name, description and parameters, a JSON
    schema."""
    listed = []
    for name, number in _numbers.items():
        # Decoded anew, for the caller may change what it is given.
        described = _scan(host.describe(number), 0)[0]
        listed.append(
            {
                "name": name,
                "description": described.get("description", ""),
                "parameters": described.get("parameters", {}),
            }
        )
    return listed


def run_sync(awaitable, /):
    """Waits for an awaitable in code that is not async, also while an event
    loop runs, whose tasks then stand still."""
    if type(awaitable) is Call and awaitable._steps is None:
        text, binary = awaitable._text, awaitable._binary
        awaitable._steps = ()
        return awaitable._callback._wait_for(text, binary)
    from eryx_support import script

    return script.load("loop").run_nested(awaitable)


_GLOBALS = {
    "CallbackError": CallbackError,
    "invoke": invoke,
    "list_callbacks": list_callbacks,
    "run_sync": run_sync,
}


# What install() has put into the globals of a script.
_installed = {}

# The names that the host declared last.
_declared = ""


def install(namespace):
    """Puts the callbacks into a script's globals; returns the directories of
    libraries' modules."""
    global _installed, _declared
    _declared, paths = _begin()
    _installed = {**_GLOBALS, **_make(_declared)}
    namespace.update(_installed)
    return paths.split("\n") if paths else ()


def renew(namespace):
    """Does the same for the next script of a session. The variables of its own
    stay."""
    global _installed, _declared
    names, paths = _begin()
    if not names and not _declared and _installed and _installed.keys() <= namespace.keys():
        return ()
    for name, member in _installed.items():
        if namespace.get(name) is member:
            del namespace[name]
    _declared = names
    _installed = {**_GLOBALS, **_make(names)}
    for name, member in _installed.items():
        namespace.setdefault(name, member)
    return paths.split("\n") if paths else ()


def refresh():
    """Brings the callbacks up to date for code of a session that is no script:
    destructors, exit functions, what saving and loading run."""
    names, paths = _begin()
    if names or _numbers:
        _make(names)
    return paths.split("\n") if paths else ()


def is_installed(name, value):
    """Whether a global is there because of install()."""
    return name in _installed and _installed[name] is value


def _begin():
    """Forgets the calls of the script before; returns names and paths."""
    global _done_at_once, _script
    _done_at_once = 0
    _script += 1
    pending.clear()
    return host.declared()


def _make(names):
    """Makes the callbacks of these names; returns those that become globals."""
    _numbers.clear()
    if names:
        names = names.split("\n")
        _numbers.update(zip(names, range(len(names))))
    for name, callback in _ever.items():
        callback._index = _numbers.get(name)
        callback._known_signature = None
    root._members = None
    return {
        name: member
        for name, member in _members_of(root).items()
        if not _is_builtin(name) and not _is_keyword(name) and name not in _GLOBALS
    }
