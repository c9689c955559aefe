/* Uses what a sandbox does not have. */
#include <Python.h>

extern int fork(void);

static PyObject *split(PyObject *self, PyObject *unused) { return PyLong_FromLong(fork()); }

static PyMethodDef methods[] = {{"split", split, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static PyModuleDef module = {PyModuleDef_HEAD_INIT, "eryx_test_broken", NULL, 0, methods};

PyMODINIT_FUNC PyInit_eryx_test_broken(void) { return PyModule_Create(&module); }
