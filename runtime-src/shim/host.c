/* Functions of the shim that eryx_support has for itself: waiting, and making
 * objects immortal. */
#include "host.h"

#include <stddef.h>
#include <stdint.h>

#include "poll.h"
#include "wait.h"

/* eryx_support.lifecycle.immortalize. */
static PyObject *
immortalize(PyObject *self, PyObject *object)
{
    (void)self;
    if (PyUnstable_IsImmortal(object)) {
        return PyBool_FromLong(0);
    }
    _Py_SetImmortalUntracked(object);
    return PyBool_FromLong(1);
}

static PyMethodDef immortalize_definition = { "immortalize", immortalize, METH_O, NULL };

/* eryx_support.host.wait: waits for so many nanoseconds, and ends early when the
 * script is interrupted. */
static PyObject *
wait_here(PyObject *self, PyObject *argument)
{
    (void)self;
    long long nanoseconds = PyLong_AsLongLong(argument);
    if (nanoseconds == -1 && PyErr_Occurred()) {
        return NULL;
    }
    return PyBool_FromLong(nanoseconds > 0 && wait_for((uint64_t)nanoseconds));
}

static PyMethodDef wait_definition = { "wait", wait_here, METH_O, NULL };

/* eryx_support.host.poll_briefly. */
static PyObject *
poll_briefly_here(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    (void)self, (void)arguments, (void)count;
    poll_briefly();
    return Py_GetConstant(Py_CONSTANT_NONE);
}

static PyMethodDef poll_briefly_definition = {
    "poll_briefly", (PyCFunction)(void (*)(void))poll_briefly_here, METH_FASTCALL, NULL,
};

int
host_install(int (*install)(PyMethodDef *definition, const char *module_name))
{
    if (install(&immortalize_definition, "eryx_support.lifecycle") < 0 ||
        install(&wait_definition, "eryx_support.host") < 0) {
        return -1;
    }
    return install(&poll_briefly_definition, "eryx_support.host");
}
