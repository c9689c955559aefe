"""What a sandbox does not have, and the exceptions that say so.

A base without processes, threads and signals lacks the functions for them, so
that scripts would only see an AttributeError, or a RuntimeError as if there
were too many threads. Here each says which rule of the sandbox it is.

What libraries ask beforehand stays true: ``hasattr(os, "fork")`` is false, and
``importlib.util.find_spec("readline")`` is None.
"""

from eryx_support.builtins_copy import builtins_copy as __builtins__

import errno
import functools
import hashlib
import hmac
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time

import _thread

_NO_PROCESSES = "a sandbox is one process and cannot start or signal others"
_NO_PIPES = "a sandbox is one process, without another one at the end of a pipe; use io.BytesIO or asyncio.Queue"
_NO_THREADS = "can't start new thread: a sandbox has one thread; use asyncio, or call the function directly"
_NO_SIGNALS = "a sandbox gets no signals but the host's interrupt, SIGINT; for time limits use asyncio.timeout()"
# For errno EACCES, whatever the host did not allow.
_NO_NETWORK = "a sandbox has no network but what its host allows"
_NO_LISTENING = _NO_NETWORK + ", and accepts no connections"
_NO_DATAGRAMS = _NO_NETWORK + ", and no datagrams"
_NO_USERS = "a sandbox has no users and groups"
_NO_TERMINAL = "a sandbox has no terminal"
_NO_SYSTEM = "a sandbox has no operating system around it"
_NO_OPENSSL = "this Python was built without OpenSSL"

# By module, the names that this base lacks and the reason.
_ATTRIBUTES = {
    os: {
        _NO_PROCESSES: "fork forkpty execv execve execl execle execlp execlpe execvp execvpe spawnl "
        "spawnle spawnlp spawnlpe spawnv spawnve spawnvp spawnvpe posix_spawn posix_spawnp system kill killpg wait "
        "wait3 wait4 waitid waitpid waitstatus_to_exitcode WNOHANG WIFEXITED WEXITSTATUS register_at_fork getppid "
        "getpgid getpgrp getpriority getsid setpgid setpriority setsid nice pidfd_open",
        _NO_PIPES: "pipe pipe2 mkfifo mknod",
        _NO_USERS: "getuid geteuid getgid getegid getgroups getlogin getresuid getresgid setuid setgid seteuid "
        "setegid setgroups initgroups chown fchown lchown umask",
        _NO_TERMINAL: "openpty get_terminal_size ttyname ctermid tcgetpgrp tcsetpgrp login_tty",
        _NO_SYSTEM: "chroot getloadavg sched_getaffinity sched_setaffinity sched_yield sync statvfs fstatvfs sysconf "
        "confstr memfd_create eventfd",
    },
    signal: {
        _NO_SIGNALS: "alarm setitimer getitimer pause sigwait sigwaitinfo sigtimedwait sigpending pthread_kill "
        "pthread_sigmask siginterrupt",
    },
    time: {"the time zone of a sandbox is UTC": "tzset"},
    select: {"a sandbox has select() and poll()": "epoll kqueue devpoll"},
    hashlib: {_NO_OPENSSL: "scrypt"},
}

# Modules that cannot be there, and the reason.
_BUNDLE = "it is left out of this bundle's standard library; `eryx-build bundle --stdlib full` takes all of it"
_MODULES = {
    "test": _BUNDLE,
    "idlelib": _BUNDLE,
    "ensurepip": "packages are part of the bundle: `eryx-build bundle -p NAME`",
    "pip": "packages are part of the bundle: `eryx-build bundle -p NAME`",
    "venv": "packages are part of the bundle: `eryx-build bundle -p NAME`",
    "tzdata": "time zones are a package; put it into the bundle: `eryx-build bundle -p tzdata`",
    "_hashlib": _NO_OPENSSL,
    "_lzma": "this Python was built without lzma; use gzip or zlib",
    "_zstd": "this Python was built without zstd; use gzip or zlib",
    "_multiprocessing": _NO_PROCESSES,
    "_posixsubprocess": _NO_PROCESSES,
    "_interpreters": "a sandbox has one interpreter",
    "_tkinter": "a sandbox has no display",
    "tkinter": "a sandbox has no display",
    "turtle": "a sandbox has no display",
    "turtledemo": "a sandbox has no display",
    "mmap": "a sandbox cannot map files; read them",
    "fcntl": "a sandbox has no file locks and no devices",
    "resource": "limits of a sandbox are set by its host",
    "syslog": _NO_SYSTEM,
} | {
    name: reason
    for reason, names in {
        _NO_TERMINAL: "readline curses _curses _curses_panel termios tty pty",
        _NO_USERS: "pwd grp spwd",
    }.items()
    for name in names.split()
}  # fmt: skip


def install():
    """Puts the refusals in place; called once, while the image is made."""
    for module, reasons in _ATTRIBUTES.items():
        _explain_attributes(module, reasons)
    sys.meta_path.append(_Explainer)
    for name in ("start_new_thread", "start_new", "start_joinable_thread"):
        setattr(_thread, name, _refuse_thread)
    threading._start_new_thread = threading._start_joinable_thread = _refuse_thread
    subprocess.Popen.__init__ = _refuse_process
    subprocess.Popen._child_created = False  # for __del__ of what was not made
    _explain_sockets(socket.socket)
    socket.gethostbyname_ex = gethostbyname_ex
    gethostbyname_ex.__module__ = "socket"
    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr", "getnameinfo"):
        if function := getattr(socket, name, None):
            setattr(socket, name, _explain_network(function, _host_of))
    if not hasattr(hashlib, "pbkdf2_hmac"):
        hashlib.pbkdf2_hmac = pbkdf2_hmac
        pbkdf2_hmac.__module__ = "hashlib"


def _explain_attributes(module, reasons):
    why = {name: reason for reason, names in reasons.items() for name in names.split()}
    # Functions of os that only call what is not there.
    if not hasattr(module, "execv"):
        for name in [name for name in why if name.startswith("exec") and hasattr(module, name)]:
            delattr(module, name)
            if name in module.__all__:
                module.__all__.remove(name)
    module_name = module.__name__

    def __getattr__(name):
        text = f"module {module_name!r} has no attribute {name!r}"
        if reason := why.get(name):
            text += f": {reason}"
        raise AttributeError(text, name=name, obj=module)

    __getattr__.__module__ = module_name
    module.__getattr__ = __getattr__


class _Explainer:
    """The last finder of modules: it finds none."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        reason = _MODULES.get(name)
        # Who only asks whether there is such a module gets the usual answer.
        if reason is not None and sys._getframe(2).f_code.co_name == "_find_and_load_unlocked":
            raise ModuleNotFoundError(f"No module named {name!r}: {reason}", name=name)
        return None


def _refuse_thread(*args, **kwargs):
    raise RuntimeError(_NO_THREADS)


def _refuse_process(self, *args, **kwargs):
    raise OSError(errno.ENOTSUP, _NO_PROCESSES)


def _explain_network(function, what):
    """Has a function say what it is that the host does not allow: a text that
    what makes of the arguments."""

    @functools.wraps(function)
    def call(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except PermissionError as error:
            if error.strerror.startswith(_NO_NETWORK):
                raise
            refusal = PermissionError(errno.EACCES, what(*args, **kwargs))
        raise refusal

    return call


def _explain_sockets(cls):
    cls.__init__ = _explain_network(cls.__init__, _kind_of)
    cls.connect = _explain_network(cls.connect, lambda self, address: _refused(address))
    cls.bind = _explain_network(cls.bind, lambda self, address: _NO_LISTENING)
    cls.listen = _explain_network(cls.listen, lambda self, backlog=None: _NO_LISTENING)


def _kind_of(self, family=-1, type=-1, proto=-1, fileno=None):
    return _NO_DATAGRAMS if type == socket.SOCK_DGRAM else _NO_NETWORK


def _host_of(host=None, *args, **kwargs):
    return _refused(host)


def _refused(address):
    """The text for a host, or for an address as sockets have it."""
    match address:
        case bytes() | bytearray():
            what = address.decode("utf-8", "replace")
        case [host, port, *_]:
            what = f"{host} port {port}"
        case _:
            what = str(address)
    return f"{_NO_NETWORK}: {what} is not"


def connecting(error, address):
    """The exception for a connection that the host refuses later than connect()
    could tell."""
    if error.strerror.startswith(_NO_NETWORK):
        return error
    return PermissionError(errno.EACCES, _refused(address))


def gethostbyname_ex(host):
    """Return the true host name, a list of aliases, and a list of IP addresses,
    for a host. The host argument is a string giving a host name or IP number."""
    found = socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)
    return host, [], [address[0] for _, _, _, _, address in found]


def pbkdf2_hmac(hash_name, password, salt, iterations, dklen=None):
    """Password based key derivation function 2 (PKCS #5 v2.0) with HMAC as
    pseudorandom function."""
    if iterations < 1:
        raise ValueError("iteration value must be greater than 0.")
    start = hmac.new(bytes(password), digestmod=hash_name)
    if dklen is None:
        dklen = start.digest_size
    if dklen < 1:
        raise ValueError("key length must be greater than 0.")
    salt, key, block = bytes(salt), b"", 0
    while len(key) < dklen:
        block += 1
        step = start.copy()
        step.update(salt + block.to_bytes(4, "big"))
        digest = step.digest()
        mixed = int.from_bytes(digest, "big")
        for _ in range(iterations - 1):
            step = start.copy()
            step.update(digest)
            digest = step.digest()
            mixed ^= int.from_bytes(digest, "big")
        key += mixed.to_bytes(len(digest), "big")
    return key[:dklen]
