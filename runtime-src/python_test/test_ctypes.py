"""The module ctypes of sandboxes, beside the real one of this machine."""

import ctypes as real
import importlib.util
import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent / "python" / "ctypes"
_spec = importlib.util.spec_from_file_location("ctypes_of_sandboxes", ROOT / "__init__.py")
ours = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = ours
_spec.loader.exec_module(ours)

TYPES = [name for name in ours.__all__ if name.startswith("c_") and hasattr(real, name)]
INTEGERS = [name for name in TYPES if isinstance(getattr(real, name)().value, int) and name != "c_bool"]


class Sizes(unittest.TestCase):
    def test_are_those_of_c(self):
        self.assertGreater(len(TYPES), 20)
        for name in TYPES:
            with self.subTest(name):
                mine, theirs = getattr(ours, name), getattr(real, name)
                self.assertEqual(ours.sizeof(mine), real.sizeof(theirs))
                self.assertEqual(ours.sizeof(mine()), real.sizeof(theirs()))
                self.assertEqual(ours.alignment(mine), real.alignment(theirs))
                self.assertEqual(mine().value, theirs().value)

    def test_of_nothing_else(self):
        for value in (int, 1, None, ours._Simple, ours.Array):
            with self.assertRaises(TypeError):
                ours.sizeof(value)


class Values(unittest.TestCase):
    def test_integers_are_cut_as_in_c(self):
        self.assertIn("c_ulong", INTEGERS)
        for name in INTEGERS:
            for value in (0, 1, -1, 127, 128, 255, 256, -129, 2**31, 2**32 - 1, 2**63, 2**64 + 5, -(2**70)):
                self.assertEqual(getattr(ours, name)(value).value, getattr(real, name)(value).value, f"{name}({value})")
            with self.assertRaises(TypeError):
                getattr(ours, name)(1.5)

    def test_others(self):
        for name, value in (
            ("c_float", 0.1), ("c_double", 0.1), ("c_double", 3), ("c_bool", 7), ("c_bool", ""),
            ("c_char", b"x"), ("c_char", 65), ("c_wchar", "ä"), ("c_void_p", 0), ("c_void_p", None), ("c_void_p", 5),
        ):  # fmt: skip
            self.assertEqual(getattr(ours, name)(value).value, getattr(real, name)(value).value, f"{name}({value!r})")


class Arrays(unittest.TestCase):
    def test_are_as_in_c(self):
        for module in (ours, real):
            kind = module.c_long * 3
            array = kind(1, -2)
            array[2] = 7
            array[0] = module.c_long(5)
            self.assertEqual([len(array), list(array), array[-1], array[:2]], [3, [5, -2, 7], 7, [5, -2]])
            self.assertEqual(module.sizeof(kind), 3 * module.sizeof(module.c_long))
            self.assertEqual(module.sizeof((2 * kind)()), 6 * module.sizeof(module.c_long))
            self.assertEqual(module.alignment(kind), module.alignment(module.c_long))
            self.assertEqual((2 * kind)()[1][0], 0)
            with self.assertRaises(IndexError):
                kind(1, 2, 3, 4)
            with self.assertRaises(IndexError):
                array[3]
            with self.assertRaises(ValueError):
                module.c_long * -1


class Missing(unittest.TestCase):
    def test_libraries_do_not_load(self):
        for kind in (ours.CDLL, ours.PyDLL):
            with self.assertRaisesRegex(OSError, "cannot call C"):
                kind("libc.so.6")

    def test_attributes_say_why(self):
        with self.assertRaisesRegex(AttributeError, "'Structure'.*cannot call C"):
            ours.Structure
        # A guard against ImportError around `from ctypes import ...` works.
        with self.assertRaises(ImportError):
            exec("from ctypes_of_sandboxes import POINTER")


if __name__ == "__main__":
    unittest.main()
