"""What bz2 imports. This Python was built without bzip2.

Packages such as networkx import bz2 for files that nobody may ever ask for.
The import works, and whoever compresses is told. lzma and the others stay
missing: packages expect that of them.
"""

_REASON = "this Python was built without bzip2; use gzip, zlib or zipfile with ZIP_DEFLATED"


class BZ2Compressor:
    """Raises OSError."""

    def __init__(self, compresslevel=9, /):
        raise OSError(_REASON)


class BZ2Decompressor:
    """Raises OSError when it gets data, as if that were not from bzip2: tarfile
    makes one to find out what an archive is."""

    eof = False
    needs_input = True
    unused_data = b""

    def decompress(self, data, max_length=-1):
        raise OSError(_REASON)
