"""Runs a module of CPython's own tests, in a sandbox.

Arguments: the module's name below package test; those that begin with "-" are
ids of tests that are not to be run, of whole classes if they end in ".*". The
value is what happened: counts, and the last line of each failure by id. What
is run goes to standard error, line by line.
"""

import importlib
import sys
import time
import traceback
import types
import unittest

from test import support

# Modules that skip all of their tests for want of something that few of them use.
#
# Sockets of sandboxes connect and do not listen; few of these tests listen.
WITHOUT_LISTENING = {
    "test_asyncgen", "test_asyncio", "test_builtin", "test_contextlib_async",
    "test_coroutines", "test_ftplib", "test_http_cookiejar", "test_httplib", "test_inspect", "test_imaplib", "test_poplib",
    "test_pdb", "test_robotparser", "test_select", "test_selectors", "test_smtplib", "test_socket", "test_ssl",
    "test_sys_settrace", "test_timeout", "test_unittest", "test_urllib", "test_urllib2", "test_urllib2_localnet",
    "test_urllib_response", "test_wsgiref", "test_xmlrpc",
}  # fmt: skip
WITHOUT_PROCESSES = {"test_argparse"}
# CPython's extension modules for its tests are not in sandboxes.
WITHOUT_EXTENSION = {"test_bytes": "_testlimitedcapi", "test_class": "_testinternalcapi"}


class Missing(types.ModuleType):
    """An extension module whose functions skip the test that calls them."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)

        def skip(*args, **kwargs):
            raise unittest.SkipTest(f"there is no {self.__name__}")

        return skip


class Outcomes(unittest.TestResult):
    """Counts outcomes. A test that fails in some of its subtests fails once."""

    def __init__(self):
        super().__init__()
        self.counts = {"passed": 0, "skipped": 0, "xfailed": 0}
        self.failed = {}
        self.current = None

    def startTest(self, test):
        super().startTest(test)
        self.current = name(test)
        print(self.current, file=sys.__stderr__, flush=True)

    def stopTest(self, test):
        super().stopTest(test)
        # What its traceback holds is not needed any more.
        self.errors.clear()
        self.failures.clear()

    def addSuccess(self, test):
        if name(test) not in self.failed:
            self.counts["passed"] += 1

    def addSkip(self, test, reason):
        self.counts["skipped"] += 1

    def addSubTest(self, test, subtest, error):
        if error is not None and not issubclass(error[0], unittest.SkipTest):
            self._fail(test, error)

    def addError(self, test, error):
        self._fail(test, error)

    def addFailure(self, test, error):
        self._fail(test, error)

    def addExpectedFailure(self, test, error):
        self.counts["xfailed"] += 1

    def addUnexpectedSuccess(self, test):
        self.failed[name(test)] = "unexpected success"

    def _fail(self, test, error):
        kind, value, tb = error
        lines = [line for line in "".join(traceback.format_exception_only(kind, value)).splitlines() if line.strip()]
        # Of a doctest the last line says what was got; of others the first what it is.
        text = lines[0] if lines else kind.__name__
        if kind is AssertionError and len(lines) > 1 and "doctest" in text:
            text = lines[-1]
        self.failed.setdefault(name(test), plain(text)[:300])
        if "+trace" in sys.argv:
            print("FAILED", name(test), file=sys.__stderr__)
            traceback.print_exception(kind, value, tb, limit=-12, file=sys.__stderr__)


def plain(text):
    # Ids and messages may have any character, but they are lines of a file.
    return text.encode("unicode_escape").decode()


def name(test):
    """The test's id without the package and the module that it is in."""
    return plain(test.id().removeprefix(f"test.{MODULE}.").removeprefix("test."))


def all_tests(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from all_tests(test)
        else:
            yield test


def is_one_of(test, ids):
    test = name(test)
    return test in ids or any(test.startswith(i[:-1]) for i in ids if i.endswith(".*"))


def main(arguments):
    left_out = {argument[1:] for argument in arguments if argument.startswith("-")}
    start = time.monotonic()
    outcomes = Outcomes()
    support.verbose = False
    support.has_socket_support = MODULE in WITHOUT_LISTENING
    if MODULE in WITHOUT_LISTENING:
        from test.support import socket_helper

        socket_helper.has_gethostname = True
    support.has_subprocess_support = MODULE in WITHOUT_PROCESSES
    if MODULE in WITHOUT_EXTENSION:
        sys.modules[WITHOUT_EXTENSION[MODULE]] = Missing(WITHOUT_EXTENSION[MODULE])
    # What there is of ctypes in sandboxes are the sizes of C's types; tests that
    # use more of it are skipped where there is none.
    sys.modules["ctypes"] = None
    support.use_resources = []  # no network, no large files, no minutes of computing
    try:
        module = importlib.import_module("test." + MODULE)
        suite = unittest.defaultTestLoader.loadTestsFromModule(module)
        tests = list(all_tests(suite))
        kept = [test for test in tests if not is_one_of(test, left_out)]
        only = [argument[1:] for argument in arguments if argument.startswith("=")]
        if only:
            kept = [test for test in kept if is_one_of(test, only)]
        outcomes.counts["left out"] = len(tests) - len(kept)
        # The suite is what runs the fixtures of classes and modules.
        unittest.TestSuite(kept).run(outcomes)
    except unittest.SkipTest as skip:
        outcomes.counts["skipped"] += 1
        return {"seconds": time.monotonic() - start, "counts": outcomes.counts, "failed": outcomes.failed, "skip": str(skip)}
    return {"seconds": time.monotonic() - start, "counts": outcomes.counts, "failed": outcomes.failed}


MODULE = sys.argv[1]

if __name__ == "__main__":
    result = main(sys.argv[2:])
