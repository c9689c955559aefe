"""Interface eryx:sandbox/tls, which the shim puts here.

A session is a number. Where one says a condition instead of doing what it was
asked, these return it: one of the negative numbers below. A refusal is the
tuple (number, text).
"""

from eryx_support.builtins_copy import builtins_copy as __builtins__

WANT_INPUT, HELLO, CLOSED, TRUNCATED, FAILED, LOST = -1, -2, -3, -4, -5, -6

UNKNOWN_AUTHORITIES, TOO_MANY, INVALID = range(3)

_NO_HOST = INVALID, '{"library": "SSL", "reason": "", "text": "there is no host", "code": 0}'


def open_session(settings):
    """Makes a session of settings in JSON."""
    return _NO_HOST


def trust_authorities(certificates):
    """Makes certificates known, in DER; their digest."""
    return _NO_HOST


def check_identity(chain, key):
    """What is wrong with a chain and its key, in PEM: a failure or nothing."""
    return _NO_HOST[1]


def describe_certificate(certificate):
    """What a certificate says, in JSON."""
    return '{"failure": ' + _NO_HOST[1] + "}"


def handshake(session):
    """Goes on with the handshake; 0 when it is done."""
    return LOST


def answer(session, settings, alert):
    """Answers a client's hello."""
    return _NO_HOST


def give(session, ciphertext):
    """Gives ciphertext; how much of it there was room for."""
    return 0


def end(session):
    """There is no more ciphertext."""


def take(session):
    """Takes ciphertext for the peer."""
    return b""


def read(session, size):
    """Reads plaintext."""
    return LOST


def read_into(session, size, buffer):
    """Reads plaintext into a buffer; how much."""
    return LOST


def write(session, plaintext):
    """Encrypts; how much was taken."""
    return LOST


def pending(session):
    """How much can be read without more ciphertext."""
    return 0


def held(session):
    """For how many nanoseconds the host holds back what it has."""
    return 0


def finish(session):
    """Ends this direction; 0 when that is done."""
    return LOST


def rest(session):
    """Takes ciphertext that is not of the session."""
    return b""


def describe(session):
    """What is known of the session, in JSON."""
    return "null"


def explain(session):
    """What is wrong with it, in JSON."""
    return _NO_HOST[1]


def drop(session):
    """Gives it back."""
