"""Lets pip choose packages for the sandbox.

pip takes the tags of another platform on its command line, but evaluates
environment markers for the Python that it runs in. This module is found by
that Python as its sitecustomize, and replaces the environment that markers are
evaluated in. pip's report says which environment it was, so the caller sees
whether that worked.
"""

import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
MODULE = "pip._vendor.packaging.markers"

with open(os.path.join(HERE, "environment.json"), encoding="utf-8") as f:
    ENVIRONMENT = json.load(f)


class MarkerHook:
    """Finds one module as usual, and changes it when it has been executed."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != MODULE:
            return None
        for finder in sys.meta_path:
            if finder is MarkerHook or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                MarkerHook.wrap(spec.loader)
                return spec
        return None

    @staticmethod
    def wrap(loader):
        execute = loader.exec_module

        def exec_module(module):
            execute(module)
            if module.__name__ == MODULE:
                module.default_environment = lambda: dict(ENVIRONMENT)

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


sys.meta_path.insert(0, MarkerHook)
run_hidden_sitecustomize()
