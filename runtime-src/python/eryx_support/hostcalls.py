"""Interface eryx:sandbox/callbacks, which the shim puts here.

What these return for a call is its number while it runs, the JSON (str) or the
bytes that came of it, or (state, message, number) for a failure.
"""

from eryx_support.builtins_copy import builtins_copy as __builtins__

FAILED, TIMED_OUT, REFUSED, EXHAUSTED, BUSY = range(3, 8)


def declared():
    """The names of the callbacks and the directories of libraries, a line each."""
    return "", ""


def describe(callback):
    """What is known of a callback, as JSON."""
    return '{"error": "there is no host"}'


def start(callback, text, binary):
    """Calls one, with its arguments as JSON and (parameter, bytes) pairs."""
    return FAILED, "there is no host", 0


def wait(nanoseconds):
    """Waits; a tuple of (number, outcome) of calls that have finished. Where an
    outcome cannot be had, it is the exception that says why."""
    return ()


def join(call):
    """Waits for a pending call."""
    return FAILED, "there is no host", 0


def cancel(call):
    """Cancels a call."""


def interrupt_poll():
    """Lets the next poll with a time limit end when a call has finished."""
