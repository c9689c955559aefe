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

/* Takes (self, arguments, their number), as the stable ABI has it. */
typedef PyObject *(*PyCFunctionFast)(PyObject *self, PyObject *const *args, Py_ssize_t count);

enum { METH_O = 0x0008, METH_FASTCALL = 0x0080 };
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
void Py_IncRef(PyObject *object);
void Py_DecRef(PyObject *object);
PyObject *Py_GetConstant(unsigned int id);
PyObject *Py_GetConstantBorrowed(unsigned int id);
PyObject *PyObject_GetAttrString(PyObject *object, const char *name);
int PyObject_SetAttrString(PyObject *object, const char *name, PyObject *value);
/* Of an object it is a new reference; a type's subtypes are those of C, whatever
 * classes say. */
PyObject *PyObject_Type(PyObject *object);
int PyType_IsSubtype(PyObject *type, PyObject *other);
PyObject *PyObject_Str(PyObject *object);
PyObject *PyObject_CallObject(PyObject *callable, PyObject *arguments);
PyObject *PyObject_CallFunctionObjArgs(PyObject *callable, ...);
int PyIter_Check(PyObject *object);
enum { PYGEN_ERROR = -1, PYGEN_RETURN = 0, PYGEN_NEXT = 1 };
int PyIter_Send(PyObject *iterator, PyObject *value, PyObject **result);
PyObject *PyCFunction_NewEx(PyMethodDef *definition, PyObject *self, PyObject *module);
PyObject *PyImport_ImportModule(const char *name);
PyObject *PyBool_FromLong(long value);
Py_ssize_t PyGC_Collect(void);

/* Makes the calling thread Python's own, whether or not it was. */
int PyGILState_Ensure(void);
void PyGILState_Release(int state);

PyObject *PyBytes_FromStringAndSize(const char *bytes, Py_ssize_t length);
char *PyBytes_AsString(PyObject *object);
int PyBytes_AsStringAndSize(PyObject *object, char **bytes, Py_ssize_t *length);
PyObject *PyUnicode_DecodeUTF8(const char *bytes, Py_ssize_t length, const char *errors);
const char *PyUnicode_AsUTF8AndSize(PyObject *text, Py_ssize_t *length);
PyObject *PyUnicode_AsEncodedString(PyObject *text, const char *encoding, const char *errors);
long PyLong_AsLong(PyObject *object);
PyObject *PyLong_FromLong(long value);
unsigned long PyLong_AsUnsignedLong(PyObject *object);
unsigned long long PyLong_AsUnsignedLongLong(PyObject *object);
PyObject *PyLong_FromUnsignedLong(unsigned long value);
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

/* Code objects can carry a pointer of ours, which goes when they go. Both check
 * that they are given code. They and the request for an index are documented,
 * but not stable. */
typedef void (*freefunc)(void *extra);
Py_ssize_t PyUnstable_Eval_RequestCodeExtraIndex(freefunc function);
int PyUnstable_Code_GetExtra(PyObject *code, Py_ssize_t index, void **extra);
int PyUnstable_Code_SetExtra(PyObject *code, Py_ssize_t index, void *extra);

/* The frame that runs, borrowed, or NULL; a C function has none. */
PyObject *PyEval_GetFrame(void);
int PyFrame_GetLineNumber(PyObject *frame);

/* errors */
extern PyObject *PyExc_BaseException, *PyExc_MemoryError, *PyExc_StopIteration;
int PyErr_GivenExceptionMatches(PyObject *exception, PyObject *classes);
PyObject *PyErr_Occurred(void);
PyObject *PyException_GetTraceback(PyObject *exception);
PyObject *PyErr_NoMemory(void);
int PyErr_BadArgument(void);
PyObject *PyErr_GetRaisedException(void);
void PyErr_SetRaisedException(PyObject *exception);
int PyErr_SetInterruptEx(int signal);
void PyErr_Clear(void);
void PyErr_DisplayException(PyObject *exception);

#endif
