# cython: language_level=3
from libc.math cimport fmod


def remainder(double a, double b):
    return fmod(a, b)
