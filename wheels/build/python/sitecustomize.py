"""Answers pip's questions about an sdist without running its build back end.

pip wants a package's metadata before it saves its sdist, and for that would
configure a build for this machine. In the process in which pip would call the
back end, Python imports this module first; it gives the metadata that the
sdist itself has in PKG-INFO, and ends the process. Everywhere else it does
nothing.
"""

import os
import sys


def answer(hook, control):
    import json

    with open(os.path.join(control, "input.json"), encoding="utf-8") as f:
        arguments = json.load(f)["kwargs"]
    if hook == "prepare_metadata_for_build_wheel":
        import email.parser
        import shutil

        with open("PKG-INFO", encoding="utf-8", errors="replace") as f:
            fields = email.parser.HeaderParser().parse(f)
        value = "%s-%s.dist-info" % (fields["Name"].replace("-", "_"), fields["Version"])
        made = os.path.join(arguments["metadata_directory"], value)
        os.makedirs(made, exist_ok=True)
        shutil.copyfile("PKG-INFO", os.path.join(made, "METADATA"))
    else:  # _supported_features, get_requires_for_build_wheel, …
        value = []
    with open(os.path.join(control, "output.json"), "w", encoding="utf-8") as f:
        json.dump({"unsupported": False, "return_val": value}, f)
    os._exit(0)


arguments = getattr(sys, "argv", [])
if len(arguments) > 2 and os.path.basename(arguments[0]) == "_in_process.py":
    answer(arguments[1], arguments[2])
