from setuptools import Extension, setup

setup(
    py_modules=[],
    ext_modules=[
        Extension("eryx_test_cxx", ["words.cpp"], language="c++", extra_compile_args=["-std=c++17", "-march=native"], extra_link_args=["-Wl,-soname,x.so", "-lm"]),
        Extension("eryx_test_c", ["plain.c"], libraries=["m", "pthread"]),
    ],
)
