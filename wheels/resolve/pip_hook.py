"""Lets pip choose packages for the sandbox.

pip takes the tags and the version of another Python on its command line, but
evaluates environment markers for the Python that it runs in, and so it does,
when it is to install, with what metadata requires of Python. This module is
found by that Python as its sitecustomize and changes both. pip's report says
which environment it was, so the caller sees whether that worked.
"""

import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))

with open(os.path.join(HERE, "environment.json"), encoding="utf-8") as f:
    ENVIRONMENT = json.load(f)


def change_markers(module):
    module.default_environment = lambda: dict(ENVIRONMENT)


def change_python(module):
    candidate = module.RequiresPythonCandidate
    initialize = candidate.__init__
    version = tuple(int(part) for part in ENVIRONMENT["python_full_version"].split("."))

    def __init__(self, py_version_info):
        initialize(self, version)

    candidate.__init__ = __init__


CHANGES = {
    "pip._vendor.packaging.markers": change_markers,
    "pip._internal.resolution.resolvelib.candidates": change_python,
}


class Hook:
    """Finds modules as usual, and changes some when they have been executed."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name not in CHANGES:
            return None
        for finder in sys.meta_path:
            if finder is Hook or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                Hook.wrap(spec.loader)
                return spec
        return None

    @staticmethod
    def wrap(loader):
        execute = loader.exec_module

        def exec_module(module):
            execute(module)
            change = CHANGES.get(module.__name__)
            if change is not None:
                change(module)

        loader.exec_module = exec_module


def run_hidden_sitecustomize():
    """Runs the sitecustomize that this one is found instead of."""
    sys.path[:] = [p for p in sys.path if os.path.abspath(p or ".") != HERE]
    this = sys.modules.pop("sitecustomize", None)
    try:
        import sitecustomize  # noqa: F401
    except ImportError:
        pass
    finally:
        if this is not None:
            sys.modules["sitecustomize"] = this


sys.meta_path.insert(0, Hook)
run_hidden_sitecustomize()
