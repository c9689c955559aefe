// C++ with what needs the base's libraries: containers, strings, static
// constructors, exceptions that are never thrown, long double.
#include <Python.h>

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

std::map<std::string, int> counts{{"one", 1}, {"two", 2}};

PyObject *count(PyObject *, PyObject *arg) {
  const char *word = PyUnicode_AsUTF8(arg);
  if (word == nullptr) return nullptr;
  try {
    std::vector<int> found{counts.at(word)};
    return PyLong_FromLong(found.front());
  } catch (const std::out_of_range &) {
    PyErr_SetString(PyExc_KeyError, word);
    return nullptr;
  }
}

PyObject *third(PyObject *, PyObject *) {
  volatile long double x = 1;
  return PyFloat_FromDouble(static_cast<double>(x / 3));
}

PyMethodDef methods[] = {{"count", count, METH_O, nullptr}, {"third", third, METH_NOARGS, nullptr}, {}};
PyModuleDef module = {PyModuleDef_HEAD_INIT, "eryx_test_cxx", nullptr, 0, methods};

}  // namespace

PyMODINIT_FUNC PyInit_eryx_test_cxx() { return PyModule_Create(&module); }
