"""Functions of the shim. What is here works in their place where there is no
shim, as in the tests of this package."""

from eryx_support.builtins_copy import builtins_copy as __builtins__

import time

_sleep = time.sleep


def wait(nanoseconds):
    """Waits for a time, or until the script is interrupted."""
    _sleep(nanoseconds / 1e9)


def poll_briefly():
    """Lets an interrupt end the next poll as if its time were up."""


def begin_lookup(name):
    """Begins to look up the name of a host, which is bytes, and gives a file
    descriptor that is readable when it is done; or 0."""
    return 0


def adopt_lookup(descriptor):
    """Has the next getaddrinfo() of the name take what was found. The descriptor
    is still to be closed."""
