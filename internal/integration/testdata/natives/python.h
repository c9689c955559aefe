/* The part of CPython's stable ABI that the test modules use, on a 32-bit
 * machine. */
#ifndef NATIVES_PYTHON_H
#define NATIVES_PYTHON_H

#ifdef __cplusplus
extern "C" {
#endif

typedef struct object {
    long count;
    void *type;
} PyObject;
typedef PyObject *(*PyCFunction)(PyObject *self, PyObject *arguments);

typedef struct {
    const char *name;
    PyCFunction function;
    int flags;
    const char *doc;
} PyMethodDef;

typedef struct {
    int slot;
    void *value;
} PyModuleDef_Slot;

typedef struct {
    PyObject base;
    PyObject *(*init)(void);
    long index;
    PyObject *copy;
    const char *name;
    const char *doc;
    long size;
    PyMethodDef *methods;
    PyModuleDef_Slot *slots;
    int (*traverse)(PyObject *, int (*)(PyObject *, void *), void *);
    int (*clear)(PyObject *);
    void (*free)(void *);
} PyModuleDef;

enum { METH_NOARGS = 4, METH_O = 8 };
enum { PYTHON_API_VERSION = 1013 };

PyObject *PyModule_Create2(PyModuleDef *definition, int version);
PyObject *PyModuleDef_Init(PyModuleDef *definition);
PyObject *PyLong_FromLong(long value);
long PyLong_AsLong(PyObject *object);
PyObject *PyErr_Occurred(void);
PyObject *PyUnicode_FromString(const char *text);
const char *PyUnicode_AsUTF8AndSize(PyObject *text, long *size);

#define EXPORT __attribute__((visibility("default")))

#ifdef __cplusplus
}
#endif
#endif
