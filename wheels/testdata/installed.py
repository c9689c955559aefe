"""Says what Python makes of a site-packages directory: prints JSON.

Arguments: the directory, and names of distributions.
"""

import base64
import hashlib
import importlib.metadata
import json
import sys

site, *names = sys.argv[1:]
sys.path.insert(0, site)


def digest(path):
    return base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).rstrip(b"=").decode()


def describe(name):
    dist = importlib.metadata.distribution(name)
    files = {}
    for file in dist.files:
        path = file.locate()
        true = file.hash is None or (file.hash.mode == "sha256" and file.hash.value == digest(path) and file.size == path.stat().st_size)
        files[str(file)] = true
    return {
        "name": dist.metadata["Name"],
        "version": dist.version,
        "requires": dist.requires or [],
        "files": files,
        "entry_points": sorted(f"{e.group}: {e.name} = {e.value}" for e in dist.entry_points),
    }


json.dump({name: describe(name) for name in names}, sys.stdout)
