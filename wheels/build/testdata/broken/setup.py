from setuptools import Extension, setup

setup(py_modules=[], ext_modules=[Extension("eryx_test_broken", ["broken.c"])])
