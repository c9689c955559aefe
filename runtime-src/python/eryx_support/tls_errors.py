"""Exceptions of ssl, with the arguments and attributes that CPython gives them."""

from eryx_support.builtins_copy import builtins_copy as __builtins__

import errno
from json import loads

from eryx_support import hosttls

SSL_ERROR_SSL = 1
SSL_ERROR_WANT_READ = 2
SSL_ERROR_WANT_WRITE = 3
SSL_ERROR_WANT_X509_LOOKUP = 4
SSL_ERROR_SYSCALL = 5
SSL_ERROR_ZERO_RETURN = 6
SSL_ERROR_WANT_CONNECT = 7
SSL_ERROR_EOF = 8
SSL_ERROR_INVALID_ERROR_CODE = 10


class SSLError(OSError):
    """An error occurred in the SSL implementation."""

    __module__ = "ssl"
    library = None
    reason = None

    def __str__(self):
        return self.strerror if isinstance(self.strerror, str) else str(self.args)


class SSLZeroReturnError(SSLError):
    """SSL/TLS session closed cleanly."""

    __module__ = "ssl"


class SSLWantReadError(SSLError):
    """Non-blocking SSL socket needs to read more data
    before the requested operation can be completed."""

    __module__ = "ssl"


class SSLWantWriteError(SSLError):
    """Non-blocking SSL socket needs to write more data
    before the requested operation can be completed."""

    __module__ = "ssl"


class SSLSyscallError(SSLError):
    """System error when attempting SSL operation."""

    __module__ = "ssl"


class SSLEOFError(SSLError):
    """SSL/TLS connection terminated abruptly."""

    __module__ = "ssl"


class SSLCertVerificationError(SSLError, ValueError):
    """A certificate could not be verified."""

    __module__ = "ssl"
    verify_code = 0
    verify_message = ""


def error(text, library="SSL", reason="", number=SSL_ERROR_SSL, cls=SSLError):
    """An exception as CPython makes them of OpenSSL's errors."""
    if library and reason:
        text = f"[{library}: {reason}] {text}"
    elif library:
        text = f"[{library}] {text}"
    exception = cls(number, text)
    exception.library = library or None
    exception.reason = reason or None
    return exception


def of_failure(text):
    """The exception for a failure that the host tells in JSON."""
    failure = loads(text)
    if failure["reason"] != "CERTIFICATE_VERIFY_FAILED":
        return error(failure["text"], failure["library"], failure["reason"])
    message = failure["text"]
    exception = error(
        "certificate verify failed: " + message,
        reason=failure["reason"],
        cls=SSLCertVerificationError,
    )
    exception.verify_code = failure["code"]
    exception.verify_message = message
    return exception


def of_refusal(refusal):
    """The exception for a refusal of the host's."""
    number, text = refusal
    if number == hosttls.INVALID:
        return of_failure(text)
    if number == hosttls.TOO_MANY:
        return error("the sandbox has as many TLS sessions as it may; close some", reason="TOO_MANY_SESSIONS")
    return error("the host does not know the certificates that are trusted", reason="UNKNOWN_AUTHORITIES")


def of_condition(session, condition):
    """The exception for a condition."""
    if condition == hosttls.WANT_INPUT:
        return want_read()
    if condition == hosttls.FAILED:
        return of_failure(hosttls.explain(session))
    if condition == hosttls.TRUNCATED:
        return error(
            "EOF occurred in violation of protocol",
            reason="UNEXPECTED_EOF_WHILE_READING",
            number=SSL_ERROR_EOF,
            cls=SSLEOFError,
        )
    if condition == hosttls.CLOSED:
        return error(
            "TLS/SSL connection has been closed (EOF)",
            library="",
            number=SSL_ERROR_ZERO_RETURN,
            cls=SSLZeroReturnError,
        )
    return ConnectionAbortedError(
        errno.ECONNABORTED, "this TLS connection was left behind in the session that was copied"
    )


def want_read():
    return SSLWantReadError(SSL_ERROR_WANT_READ, "The operation did not complete (read)")


def want_write():
    return SSLWantWriteError(SSL_ERROR_WANT_WRITE, "The operation did not complete (write)")
