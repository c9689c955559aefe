"""Runs a script in a component of componentize-py's, under wasmtime.

numpy_component.py SCRIPT WHEEL COMPONENT: makes the component with the wheel in
it, if the file is not there, and says "ready". For every line on standard input
it then runs the script in a new instance and prints a line, the script's result.
"""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import wasmtime
from wasmtime import component

WIT = "package bench:numpy;\nworld speed { export run: func() -> string; }\n"
# What is imported here is in the component's memory; its files are not.
APP = """
import json, time
import numpy, numpy.fft, numpy.linalg, numpy.random
from wit_world import WitWorld as World

class WitWorld(World):
    def run(self):
        scope = {"print": lambda *args: None}
        exec(SCRIPT, scope)
        return json.dumps(scope["result"])
"""


def build(script, wheel, output):
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        (work / "world.wit").write_text(WIT)
        (work / "app").mkdir()
        (work / "app" / "app.py").write_text(f"SCRIPT = {script!r}\n{APP}")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(work / "site")
        made = work / "made.wasm"
        subprocess.run(
            [Path(sys.executable).parent / "componentize-py", "-d", work / "world.wit", "-w", "speed",
             "componentize", "app", "-p", work / "app", "-p", work / "site", "-o", made],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        output.write_bytes(made.read_bytes())


def main(script, wheel, output):
    if not output.exists():
        build(script.read_text(), wheel, output)
    engine = wasmtime.Engine()
    compiled = component.Component.from_file(engine, str(output))
    linker = component.Linker(engine)
    linker.add_wasip2()
    print("ready", flush=True)
    for _ in sys.stdin:
        store = wasmtime.Store(engine)
        store.set_wasi(wasmtime.WasiConfig())
        instance = linker.instantiate(store, compiled)
        print(instance.get_func(store, "run")(store), flush=True)


main(*map(Path, sys.argv[1:]))
