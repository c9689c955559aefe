"""Runs test files of an installed package with pytest, in a sandbox.

Arguments: the file, relative to site-packages; those that begin with "-" are
node ids, without the file, that are not to be run. The value is what happened:
counts, and the last line of each failure by node id. What pytest prints goes to standard error.
"""

import os
import sys
import time
import types

# pytest names its temporary directories after the user, of whom there is none.
os.getuid = lambda: 0

# Some files import mmap for one test: only that one is to fail.
sys.modules.setdefault("mmap", types.ModuleType("mmap"))

import pytest

SITE = "/usr/lib/python3.14/site-packages/"


class Outcomes:
    def __init__(self, left_out):
        self.counts = {"passed": 0, "skipped": 0, "xfailed": 0, "xpassed": 0, "left out": 0}
        self.failed = {}
        self.left_out = left_out

    def pytest_collection_modifyitems(self, config, items):
        kept = [item for item in items if name(item.nodeid) not in self.left_out]
        self.counts["left out"] = len(items) - len(kept)
        items[:] = kept

    def pytest_runtest_logstart(self, nodeid, location):
        print(nodeid, file=sys.stderr, flush=True)

    def pytest_collectreport(self, report):
        if report.failed:
            self.failed[name(report.nodeid)] = last_line(report)

    def pytest_runtest_logreport(self, report):
        expected = hasattr(report, "wasxfail")
        if report.failed:
            self.failed[name(report.nodeid)] = last_line(report)
        elif report.skipped:
            self.counts["xfailed" if expected else "skipped"] += 1
        elif report.when == "call":
            self.counts["xpassed" if expected else "passed"] += 1


def name(nodeid):
    # Node ids may have any character, but they are lines of a file.
    file, _, test = nodeid.partition("::")
    return (test or file).encode("unicode_escape").decode()


def last_line(report):
    lines = [line for line in report.longreprtext.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""


def main(arguments):
    outcomes = Outcomes({argument[1:] for argument in arguments if argument.startswith("-")})
    start = time.monotonic()
    # There are no file descriptors to take over, and no sources that pytest
    # could write next to.
    status = pytest.main(
        [
            "-q", "-s", "--tb=native", "--no-header", "--no-summary", "--assert=plain", "--import-mode=importlib",
            "-p", "no:cacheprovider", "-p", "no:faulthandler", "--rootdir", SITE,
            *(SITE + argument for argument in arguments if not argument.startswith("-")),
        ],
        plugins=[outcomes],
    )  # fmt: skip
    return {
        "status": int(status), "seconds": time.monotonic() - start,
        "counts": outcomes.counts, "failed": outcomes.failed,
    }  # fmt: skip


if __name__ == "__main__":
    result = main(sys.argv[1:])
