"""Calls a build back end as a front end does, for the WASI target.

`python backend.py JOB.json`, in the source directory. The job names the hook
("requires" or "wheel"), and the result is written to a file that it names.
The interpreter is the host's; sysconfig answers for the target, through the
variables that CPython's own cross-builds use.
"""

import importlib
import importlib.machinery
import json
import os
import sys


def backend(job):
    for path in reversed(job["backend_path"] or []):
        sys.path.insert(0, os.path.abspath(path))
    name, _, attributes = job["backend"].partition(":")
    found = importlib.import_module(name)
    for attribute in attributes.split(".") if attributes else ():
        found = getattr(found, attribute)
    return found


def target(job):
    """Makes this interpreter's answers about extensions those of the target."""
    importlib.machinery.EXTENSION_SUFFIXES[:] = job["suffixes"]


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        job = json.load(f)
    sys.path[0] = os.getcwd() if job["backend"].endswith(":__legacy__") else ""
    if not sys.path[0]:
        del sys.path[0]  # this file's directory
    target(job)
    hooks = backend(job)
    settings = job["config_settings"] or None
    if job["hook"] == "requires":
        hook = getattr(hooks, "get_requires_for_build_wheel", None)
        value = hook(settings) if hook else []
    else:
        value = hooks.build_wheel(job["output"], settings)
    with open(job["result"], "w", encoding="utf-8") as f:
        json.dump(value, f)


if __name__ == "__main__":
    main()
