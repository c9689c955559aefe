/* The part of CPython's C API that the shim uses.
 *
 * Everything here is a plain function, with one exception of the stable or the
 * documented API: no struct of CPython is looked into, so no CPython header is needed to build
 * the shim and it does not depend on a build's configuration. */
#ifndef ERYX_PYTHON_H
#define ERYX_PYTHON_H

#include <stddef.h>
#include <stdint.h>

typedef struct object PyObject;
typedef struct init_config PyInitConfig;
typedef long Py_ssize_t;
typedef PyObject *(*PyCFunction)(PyObject *self, PyObject *args);

/* PyMethodDef is part of the stable ABI. */
typedef struct {
    const char *name;
    PyCFunction function;
    int flags;
    const char *doc;
} PyMethodDef;

enum { METH_O = 0x0008 };
enum { Py_CONSTANT_NONE = 0 };

/* initialization */
PyInitConfig *PyInitConfig_Create(void);
void PyInitConfig_Free(PyInitConfig *config);
int PyInitConfig_GetError(PyInitConfig *config, const char **message);
int PyInitConfig_SetInt(PyInitConfig *config, const char *name, int64_t value);
int PyInitConfig_SetStr(PyInitConfig *config, const char *name, const char *value);
int PyInitConfig_SetStrList(PyInitConfig *config, const char *name, size_t length,
                            char *const *items);
int Py_InitializeFromInitConfig(PyInitConfig *config);

/* objects */
void Py_DecRef(PyObject *object);
PyObject *Py_GetConstantBorrowed(unsigned int id);
PyObject *PyObject_GetAttrString(PyObject *object, const char *name);
int PyObject_SetAttrString(PyObject *object, const char *name, PyObject *value);
PyObject *PyObject_Str(PyObject *object);
PyObject *PyObject_CallObject(PyObject *callable, PyObject *arguments);
PyObject *PyObject_CallFunctionObjArgs(PyObject *callable, ...);
PyObject *PyCFunction_NewEx(PyMethodDef *definition, PyObject *self, PyObject *module);
PyObject *PyImport_ImportModule(const char *name);
PyObject *PyBool_FromLong(long value);
Py_ssize_t PyGC_Collect(void);

/* Makes the calling thread Python's own, whether or not it was. */
int PyGILState_Ensure(void);
void PyGILState_Release(int state);

PyObject *PyBytes_FromStringAndSize(const char *bytes, Py_ssize_t length);
int PyBytes_AsStringAndSize(PyObject *object, char **bytes, Py_ssize_t *length);
PyObject *PyUnicode_DecodeUTF8(const char *bytes, Py_ssize_t length, const char *errors);
PyObject *PyUnicode_AsEncodedString(PyObject *text, const char *encoding, const char *errors);
long PyLong_AsLong(PyObject *object);
long long PyLong_AsLongLong(PyObject *object);

/* Both check that they are given a tuple, and the index. */
Py_ssize_t PyTuple_Size(PyObject *tuple);
PyObject *PyTuple_GetItem(PyObject *tuple, Py_ssize_t index);
PyObject *PyTuple_New(Py_ssize_t length);
int PyTuple_SetItem(PyObject *tuple, Py_ssize_t index, PyObject *item);

/* Immortal objects are not counted. The second is not documented, but exported
 * from CPython 3.12 on for its own extension modules. */
int PyUnstable_IsImmortal(PyObject *object);
void _Py_SetImmortalUntracked(PyObject *object);

/* errors */
extern PyObject *PyExc_MemoryError;
int PyErr_GivenExceptionMatches(PyObject *exception, PyObject *classes);
PyObject *PyErr_Occurred(void);
PyObject *PyErr_GetRaisedException(void);
int PyErr_SetInterruptEx(int signal);
void PyErr_Clear(void);
void PyErr_DisplayException(PyObject *exception);

#endif
