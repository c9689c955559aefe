#include <Python.h>
#include <math.h>

static PyObject *root(PyObject *self, PyObject *arg) {
  double x = PyFloat_AsDouble(arg);
  return PyErr_Occurred() ? NULL : PyFloat_FromDouble(sqrt(x));
}

static PyMethodDef methods[] = {{"root", root, METH_O, NULL}, {NULL, NULL, 0, NULL}};
static PyModuleDef module = {PyModuleDef_HEAD_INIT, "eryx_test_c", NULL, 0, methods};

PyMODINIT_FUNC PyInit_eryx_test_c(void) { return PyModule_Create(&module); }
