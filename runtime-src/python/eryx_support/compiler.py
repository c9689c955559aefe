"""Byte-compiles sources for the host, which has no Python of this version.

    from eryx_support.compiler import main; main()

reads sources from standard input and writes the contents of ``.pyc`` files to
standard output, one for one. All numbers are 32 bits, little-endian.

    in:   length of path, length of source, path, source
    out:  status, length of data, data

The path is what tracebacks show. The status is 0, with a pyc that is valid
whatever becomes of its source (PEP 552, unchecked), or 1, with the reason why
the source cannot be compiled.
"""

from eryx_support.builtins_copy import builtins_copy as __builtins__

import gc
import sys
import warnings
from importlib import _bootstrap_external, util


def main():
    """Serves requests until standard input ends."""
    warnings.simplefilter("ignore")
    gc.disable()  # compiling makes no cycles
    read, write = sys.stdin.buffer.read, sys.stdout.buffer.write
    while header := read(8):
        path = read(_number(header[:4])).decode()
        source = read(_number(header[4:]))
        try:
            status, data = 0, compile_source(source, path)
        except (SyntaxError, ValueError, OverflowError, RecursionError, SystemError) as exception:
            status, data = 1, f"{type(exception).__name__}: {exception}".encode(errors="replace")
        write(status.to_bytes(4, "little") + len(data).to_bytes(4, "little"))
        write(data)
    sys.stdout.buffer.flush()


def compile_source(source, path):
    """Returns the contents of a .pyc file for source, bytes."""
    code = compile(source, path, "exec", dont_inherit=True, optimize=0)
    return bytes(_bootstrap_external._code_to_hash_pyc(code, util.source_hash(source), False))


def _number(data):
    return int.from_bytes(data, "little")
