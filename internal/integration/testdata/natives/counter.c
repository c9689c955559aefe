/* An extension module with a constructor, a loop that never has to end, and
 * symbols that other modules use. */
#include "python.h"

/* For others. */
EXPORT int shared_state = 40;
EXPORT int shared_add(int n) { return shared_state += n; }
EXPORT const char *whoami(void) { return "counter"; }
/* Nobody is linked against this one: it is found at run time. */
EXPORT int late(int n) { return 1000 + n; }

/* A pointer in data, relocated when it was linked. */
static int (*const through_data)(int) = shared_add;

static int constructed;
__attribute__((constructor)) static void construct(void) {
    constructed++;
    through_data(2); /* on initialised, relocated data */
}

static PyObject *state(PyObject *self, PyObject *unused) { return PyLong_FromLong(shared_state); }
static PyObject *constructions(PyObject *self, PyObject *unused) { return PyLong_FromLong(constructed); }
static PyObject *name(PyObject *self, PyObject *unused) { return PyUnicode_FromString(whoami()); }

static PyObject *add(PyObject *self, PyObject *argument) {
    long n = PyLong_AsLong(argument);
    if (n == -1 && PyErr_Occurred())
        return 0;
    return PyLong_FromLong(shared_add((int)n));
}

/* spin takes as many steps as it is told, in C alone; -1 is for ever. */
static PyObject *spin(PyObject *self, PyObject *argument) {
    long n = PyLong_AsLong(argument);
    if (n == -1 && PyErr_Occurred())
        return 0;
    volatile unsigned sum = 0;
    for (long i = 0; n < 0 || i < n; i = (i + 1) & 0x7fffffff)
        sum += (unsigned)i;
    return PyLong_FromLong((long)sum);
}

static PyMethodDef methods[] = {
    {"state", state, METH_NOARGS, 0}, {"constructions", constructions, METH_NOARGS, 0},
    {"name", name, METH_NOARGS, 0},   {"add", add, METH_O, 0},
    {"spin", spin, METH_O, 0},        {0, 0, 0, 0},
};
static PyModuleDef definition = {.base = {1, 0}, .name = "counter", .size = -1, .methods = methods};

EXPORT PyObject *PyInit_counter(void) { return PyModule_Create2(&definition, PYTHON_API_VERSION); }
