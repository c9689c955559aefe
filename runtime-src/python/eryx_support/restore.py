"""What differs between the sandboxes of one image.

All of them start from the same memory, so whatever was seeded before the image
was taken would be the same in each. What is seeded on first use is reset when
the image is taken; what is seeded on import is seeded again from the entropy
that the host gives to each sandbox.
"""

from eryx_support.builtins_copy import builtins_copy as __builtins__

import os
import sys

# Functions called with the entropy, bytes, when a sandbox starts: this
# module's and those of others.
_own_hooks = []
_hooks = []

_argument_list = list
_environ = os.environ
_path = sys.path
_from_bytes = int.from_bytes


def on_restore(function):
    """Registers function(entropy) to be called when a sandbox starts.

    For packages with a random state of their own that is made on import.
    Different packages get the same bytes and must not use them as they are.
    Returns the function, so it can be a decorator.
    """
    _hooks.append(function)
    return function


def restore(arguments, environment, entropy):
    """Gives a sandbox its arguments, environment and randomness."""
    set_world(arguments, environment)
    reseed(entropy)


def set_world(arguments, environment):
    """Sets ``sys.argv`` and ``os.environ``."""
    sys.argv = _argument_list(arguments) or [""]
    if not _path or _path[0] != "":
        _path.insert(0, "")  # modules in the working directory, as for `python -c`
    if _environ:
        _environ.clear()
    for at in range(0, len(environment), 2):
        _environ[environment[at]] = environment[at + 1]


def reseed(entropy):
    """Seeds again what was seeded before the image was made."""
    for hook in _own_hooks:
        hook(entropy)
    if entropy:  # none while the image is being made
        for hook in _hooks:
            hook(entropy)


def add_paths(paths):
    """Lets modules be found in the directories of libraries."""
    for path in paths:
        if path not in _path:
            _path.append(path)


# Instances of random.Random that were made without a seed.
_unseeded = None
_seed = None


def watch():
    """Starts to note which generators are seeded from the system."""
    global _unseeded, _seed
    if _unseeded is not None:
        return
    import random
    import weakref

    _unseeded = weakref.WeakSet((random._inst,))
    _seed = random.Random.seed

    def seed(self, a=None, version=2):
        if a is None:
            _unseeded.add(self)
        elif self is not random._inst:
            _unseeded.discard(self)
        return _seed(self, a, version)

    random.Random.seed = seed


def prepare():
    """Resets what is seeded on first use and finds what has to be seeded again."""
    watch()
    import random

    random.Random.seed = _seed
    # The module's own methods are bound to the class's seed of its import.
    forget_used(b"")
    _own_hooks.append(forget_used)
    generators = tuple(_unseeded)
    base_seed = random._random.Random.seed

    def reseed(entropy):
        # The byte makes all numbers equally long, so that seeding, and with it
        # the fuel of a script, costs the same in each sandbox.
        number = _from_bytes(entropy + b"\1", "little")
        for index, generator in enumerate(generators):
            if entropy:
                base_seed(generator, number + index)
            else:
                base_seed(generator)  # from os.urandom
            generator.gauss_next = None

    _own_hooks.append(reseed)
    if "logging" in sys.modules:
        import logging
        import time

        clock = time.time_ns

        def restart_clock(_):
            logging._startTime = clock()

        _own_hooks.append(restart_clock)


def forget_used(_):
    """Resets what is seeded on first use: of a session that is a copy, there
    was one already."""
    _reset("tempfile", "_name_sequence")
    _reset("uuid", "_node", "_last_timestamp", "_last_timestamp_v6", "_last_timestamp_v7")


def _reset(module, *names):
    module = sys.modules.get(module)
    for name in names:
        if getattr(module, name, None) is not None:
            setattr(module, name, None)
