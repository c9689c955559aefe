"""A session of the host's, over a socket or between two buffers."""

from eryx_support.builtins_copy import builtins_copy as __builtins__

import select
import time
import weakref
from json import loads

import _socket

from eryx_support import hosttls, tls_certificates, tls_ciphers
from eryx_support.hosttls import CLOSED, HELLO, TRUNCATED, WANT_INPUT
from eryx_support.tls_context import (
    CERT_NONE,
    OP_IGNORE_UNEXPECTED_EOF,
    PROTOCOL_TLS_CLIENT,
    PROTOCOL_TLS_SERVER,
    _SSLContext,
)
from eryx_support.tls_errors import SSLError, error, of_condition, of_refusal, want_read, want_write

_receive, _send, _set_timeout = _socket.socket.recv, _socket.socket.send, _socket.socket.settimeout
_get_timeout, _fileno = _socket.socket.gettimeout, _socket.socket.fileno

# How much is taken of a socket at once, and how much is encrypted at once.
_CHUNK = 65536

_VERSIONS = {0x301: "TLSv1", 0x302: "TLSv1.1", 0x303: "TLSv1.2", 0x304: "TLSv1.3"}

_ALERT_HANDSHAKE_FAILURE, _ALERT_INTERNAL_ERROR = 40, 80


class MemoryBIO:
    """A buffer of ciphertext."""

    __module__ = "_ssl"

    def __init__(self):
        self._bytes = bytearray()
        self._ended = False

    def read(self, size=-1, /):
        """Read up to size bytes from the memory BIO."""
        held = self._bytes
        if size is None or size < 0 or size >= len(held):
            result = bytes(held)
            held.clear()
        else:
            with memoryview(held) as view:
                result = bytes(view[:size])
            del held[:size]
        return result

    def write(self, b, /):
        """Writes the bytes b into the memory BIO. Returns the number of bytes written."""
        if self._ended:
            raise error("cannot write() after write_eof()", library="", number=0)
        with memoryview(b) as view:
            self._bytes += view
            return view.nbytes

    def write_eof(self):
        """Write an EOF marker to the memory BIO."""
        self._ended = True

    @property
    def pending(self):
        """The number of bytes pending in the memory BIO."""
        return len(self._bytes)

    @property
    def eof(self):
        """Whether the memory BIO is at EOF."""
        return self._ended and not self._bytes


class SSLSession:
    """What could be resumed. The host does not resume sessions."""

    __module__ = "_ssl"
    __slots__ = ("time", "_context")

    timeout = 7200
    id = b""
    has_ticket = False
    ticket_lifetime_hint = 0

    def __new__(cls, *args, **kwargs):
        raise TypeError("cannot create '_ssl.SSLSession' instances")

    @classmethod
    def _of(cls, context):
        self = object.__new__(cls)
        self.time = int(time.time())
        self._context = context
        return self


class _SSLSocket:
    __module__ = "_ssl"

    _handle = None

    def __new__(cls, *args, **kwargs):
        raise TypeError("cannot create '_ssl._SSLSocket' instances")

    @classmethod
    def _over_socket(cls, context, sock, server_side, server_hostname, owner, session):
        self = cls._make(context, server_side, server_hostname, owner, session)
        self._sock = weakref.ref(sock)
        return self

    @classmethod
    def _over_bio(cls, context, incoming, outgoing, server_side, server_hostname, owner, session):
        if not isinstance(incoming, MemoryBIO) or not isinstance(outgoing, MemoryBIO):
            raise TypeError("incoming and outgoing must be MemoryBIO objects")
        self = cls._make(context, server_side, server_hostname, owner, session)
        self._incoming, self._outgoing = incoming, outgoing
        return self

    @classmethod
    def _make(cls, context, server_side, server_hostname, owner, session):
        wrong = PROTOCOL_TLS_CLIENT if server_side else PROTOCOL_TLS_SERVER
        if context._protocol == wrong:
            side, name = ("server", "CLIENT") if server_side else ("client", "SERVER")
            raise error(
                f"Cannot create a {side} socket with a PROTOCOL_TLS_{name} context", library="", number=0
            )
        if server_hostname is not None:
            if not server_hostname or server_hostname[0] == ".":
                raise ValueError("server_hostname cannot be an empty string or start with a leading dot.")
            if "\0" in server_hostname:
                raise TypeError("argument must be encoded string without null bytes, not str")
        elif context._check_hostname and not server_side:
            raise ValueError("check_hostname requires server_hostname")
        self = object.__new__(cls)
        self._context = context
        self._server = server_side
        self._name = server_hostname
        self._owner = None if owner is None else weakref.ref(owner)
        self._sock = self._incoming = self._outgoing = None
        self._state = None  # known after the handshake
        self._session = None
        self._unsent = bytearray()  # ciphertext that the socket did not take
        self._written = 0  # plaintext of an unfinished write that is encrypted
        self._ended = False  # the host knows that there is no more ciphertext
        self._finished = False  # in this direction
        if session is not None:
            self.session = session
        refusal = handle = hosttls.open_session(context._settings(server_side, server_hostname))
        if type(refusal) is tuple and refusal[0] == hosttls.UNKNOWN_AUTHORITIES:
            refusal = handle = hosttls.open_session(context._settings(server_side, server_hostname, True))
        if type(refusal) is tuple:
            raise of_refusal(refusal)
        self._handle = handle
        return self

    def __del__(self, drop=hosttls.__dict__):
        if self._handle is not None:
            drop["drop"](self._handle)
            self._handle = None

    # Properties of ssl.SSLSocket and ssl.SSLObject.

    @property
    def context(self):
        return self._context

    @context.setter
    def context(self, value):
        if not isinstance(value, _SSLContext):
            raise TypeError("The value must be a SSLContext")
        self._context = value

    @property
    def server_side(self):
        return self._server

    @property
    def server_hostname(self):
        return self._name

    @property
    def owner(self):
        return None if self._owner is None else self._owner()

    @owner.setter
    def owner(self, value):
        self._owner = None if value is None else weakref.ref(value)

    @property
    def session(self):
        if self._session is None and self._state is not None:
            self._session = SSLSession._of(self._context)
        return self._session

    @session.setter
    def session(self, value):
        if not isinstance(value, SSLSession):
            raise TypeError("Value is not a SSLSession.")
        if value._context is not self._context:
            raise ValueError("Session refers to a different SSLContext.")
        if self._server:
            raise ValueError("Cannot set session for server-side SSLSocket.")
        if self._state is not None:
            raise ValueError("Cannot set session after handshake.")

    @property
    def session_reused(self):
        return self._state is not None and self._state["resumed"]

    # Ciphertext.

    def _socket(self):
        sock = self._sock()
        if sock is None or _fileno(sock) < 0:
            raise error("Underlying socket connection gone", library="", number=0)
        return sock

    def _feed(self):
        """Gives the host what there is of the peer's, without waiting."""
        incoming = self._incoming
        if incoming is None:
            return
        held = incoming._bytes
        while held:
            with memoryview(held) as view:
                given = hosttls.give(self._handle, view)
            if not given:
                return
            del held[:given]
        if incoming._ended and not self._ended:
            self._ended = True
            hosttls.end(self._handle)

    def _flush(self, deadline=None):
        """Sends what the host has for the peer."""
        if self._outgoing is not None:
            # A buffer that its owner has ended takes it all the same.
            self._outgoing._bytes += hosttls.take(self._handle)
            return
        unsent = self._unsent
        unsent += hosttls.take(self._handle)
        while unsent:
            sock = self._socket()
            if deadline is not None:
                deadline.apply(sock, "write")
            try:
                with memoryview(unsent) as view:
                    sent = _send(sock, view[:_CHUNK])
            except BlockingIOError:
                raise want_write() from None
            except TimeoutError:
                raise TimeoutError("The write operation timed out") from None
            del unsent[:sent]

    def _fetch(self, deadline, what):
        """Waits for more of the peer's ciphertext and gives it to the host."""
        if self._sock is None:
            raise want_read()
        sock = self._socket()
        timeout = deadline.apply(sock, what)
        held = hosttls.held(self._handle)
        if held and timeout != 0:
            if not select.select([_fileno(sock)], [], [], held / 1e9)[0]:
                return  # the host gives what it held back
        try:
            received = _receive(sock, _CHUNK)
        except BlockingIOError:
            raise want_read() from None
        except TimeoutError:
            raise TimeoutError(f"The {what} operation timed out") from None
        if received:
            while given := hosttls.give(self._handle, received):
                received = received[given:]
                if not received:
                    break
        elif not self._ended:
            self._ended = True
            hosttls.end(self._handle)

    def _run(self, what, function, *arguments):
        """Calls a function of the session until it needs no more of the peer,
        and returns what it returns."""
        deadline = None if self._sock is None else _Deadline(self._socket())
        try:
            while True:
                self._feed()
                result = function(self._handle, *arguments)
                if result == WANT_INPUT:
                    self._flush(deadline)
                    if self._incoming is not None and self._incoming._bytes:
                        continue  # there was no room for all of it
                    self._fetch(deadline, what)
                elif result == HELLO:
                    self._answer()
                else:
                    if type(result) is int and result < 0:
                        self._flush_quietly()
                    else:
                        self._flush(deadline)
                        if self._state is None:
                            self._state = loads(hosttls.describe(self._handle))
                    return result
        finally:
            if deadline is not None:
                deadline.restore()

    def _flush_quietly(self):
        """Sends an alert, or a session's end, if that is possible."""
        try:
            self._flush()
        except OSError:
            pass

    def _failed(self, condition):
        return of_condition(self._handle, condition)

    def _answer(self):
        """Asks the program what to do with a client."""
        hello = loads(hosttls.describe(self._handle))
        context, alert = self._context, 0
        owner = self.owner
        try:
            answer = context._sni_callback(self if owner is None else owner, hello["name"] or None, context)
            if answer is not None:
                if not isinstance(answer, int):
                    raise TypeError(f"{type(answer).__name__!r} object cannot be interpreted as an integer")
                alert = int(answer) & 0xFF
        except Exception as exception:
            alert = _ALERT_INTERNAL_ERROR if isinstance(exception, TypeError) else _ALERT_HANDSHAKE_FAILURE
            _Unraisable(exception)
        settings = ""
        if self._context is not context:
            settings = self._context._settings(True, None)
        refusal = hosttls.answer(self._handle, settings, alert)
        if type(refusal) is tuple and refusal[0] == hosttls.UNKNOWN_AUTHORITIES:
            refusal = hosttls.answer(self._handle, self._context._settings(True, None, True), alert)
        if type(refusal) is tuple:
            raise of_refusal(refusal)

    # Plaintext.

    def do_handshake(self):
        result = self._run("handshake", hosttls.handshake)
        if result < 0:
            raise self._failed(result)

    def read(self, len, buffer=None, /):
        if buffer is None:
            if len < 0:
                raise ValueError("size should not be negative")
            if len == 0:
                return b""
            result = self._run_read(hosttls.read, len)
            if type(result) is bytes:
                return result
            self._at_end(result)
            return b""
        with memoryview(buffer) as view:
            size = view.nbytes
        if 0 < len < size:
            size = len
        if size == 0:
            return 0
        result = self._run_read(hosttls.read_into, size, buffer)
        if result >= 0:
            return result
        self._at_end(result)
        return 0

    def _run_read(self, function, *arguments):
        if self._state is not None:
            # Most often the host has something.
            if self._incoming is not None:
                self._feed()
            result = function(self._handle, *arguments)
            if type(result) is bytes or result >= 0:
                return result
        return self._run("read", function, *arguments)

    def _at_end(self, condition):
        """Returns at the peer's end, and raises what else a condition is."""
        if condition == CLOSED and not self._finished:
            return
        if condition == TRUNCATED and self._context._options & OP_IGNORE_UNEXPECTED_EOF:
            return
        raise self._failed(condition)

    def write(self, b, /):
        with memoryview(b) as view:
            octets = view.cast("B") if view.nbytes else None
            if octets is None:
                return 0
            size = view.nbytes
            if self._written > size:
                raise error("bad write retry", reason="BAD_WRITE_RETRY")
            # What a write before this one has encrypted is not encrypted again.
            if self._unsent:
                self._flush()
            while self._written < size:
                part = octets[self._written : self._written + _CHUNK]
                taken = self._run("write", self._encrypt, part)
                if taken < 0:
                    raise self._failed(taken)
            self._written = 0
            return size

    def _encrypt(self, handle, part):
        taken = hosttls.write(handle, part)
        if taken > 0:
            self._written += taken
        return taken

    def pending(self):
        return hosttls.pending(self._handle)

    def shutdown(self):
        if not self._finished:
            result = hosttls.finish(self._handle)
            if result < 0:
                self._flush_quietly()
                raise self._failed(result)
            self._finished = True
        self._flush()
        result = self._run("read", hosttls.read, 1)
        if type(result) is bytes:
            raise error("application data after close notify", reason="APPLICATION_DATA_AFTER_CLOSE_NOTIFY")
        if result != CLOSED and not (
            result == TRUNCATED and self._context._options & OP_IGNORE_UNEXPECTED_EOF
        ):
            raise self._failed(result)
        rest = hosttls.rest(self._handle)
        if self._incoming is not None:
            self._incoming._bytes[:0] = rest
            return None
        return self._sock()

    # What is known after the handshake.

    def _known(self):
        if self._state is None:
            raise ValueError("handshake not done yet")
        return self._state

    def _chain(self, name):
        from binascii import a2b_base64

        return [a2b_base64(text) for text in (self._state or {}).get(name) or ()]

    def getpeercert(self, binary_mode=False, /):
        self._known()
        chain = self._chain("sent")
        if not chain:
            return None
        if binary_mode:
            return chain[0]
        if self._context._verify_mode == CERT_NONE:
            return {}
        return tls_certificates.decode(chain[0])

    def get_verified_chain(self):
        return self._certificates("verified") or self._certificates("sent")

    def get_unverified_chain(self):
        return self._certificates("sent")

    def _certificates(self, name):
        return [tls_certificates.Certificate._of(der) for der in self._chain(name)] or None

    def version(self):
        return None if self._state is None else _VERSIONS.get(self._state["version"], "unknown")

    def cipher(self):
        return None if self._state is None else _cipher(self._state["suite"])

    def shared_ciphers(self):
        if not self._server or self._state is None:
            return None
        offered = [_cipher(number) for number in self._state["offered"] or () if number in tls_ciphers.BY_NUMBER]
        return offered or None

    def selected_alpn_protocol(self):
        return None if self._state is None else self._state["alpn"] or None

    def compression(self):
        return None

    def get_channel_binding(self, cb_type="tls-unique"):
        if cb_type != "tls-unique":
            raise ValueError(f"{cb_type!r} channel binding type not implemented")
        if self._state is None or not self._state["unique"]:
            return None
        from binascii import a2b_base64

        return a2b_base64(self._state["unique"])

    def verify_client_post_handshake(self):
        raise NotImplementedError("Post-handshake auth is not supported by your OpenSSL version.")


def _cipher(number):
    cipher = tls_ciphers.BY_NUMBER.get(number)
    if cipher is None:
        return f"0x{number:04X}", "unknown", 0
    return cipher.name, cipher.version, cipher.bits


class _Deadline:
    """A socket's timeout, for an operation that takes several of the socket's."""

    __slots__ = ("_sock", "_timeout", "_end", "_changed")

    def __init__(self, sock):
        self._sock = sock
        self._timeout = _get_timeout(sock)
        self._end = None
        self._changed = False

    def apply(self, sock, what):
        """Has the socket wait no longer than is left. Returns the timeout."""
        if not self._timeout:
            return self._timeout
        if self._end is None:
            self._end = time.monotonic() + self._timeout
            return self._timeout
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"The {what} operation timed out")
        self._changed = True
        _set_timeout(sock, left)
        return left

    def restore(self):
        if self._changed and _fileno(self._sock) >= 0:
            _set_timeout(self._sock, self._timeout)


class _Unraisable:
    """Tells sys.unraisablehook of an exception that nobody can catch, as it is
    deleted."""

    __slots__ = ("exception",)

    def __init__(self, exception):
        self.exception = exception

    def __del__(self):
        raise self.exception
