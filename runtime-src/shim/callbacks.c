/* Functions of the host that scripts call: interface eryx:sandbox/callbacks.
 *
 * Becomes functions of eryx_support.hostcalls. What they return for a call is
 * its number while it runs, the text of the JSON or the bytes that came of it,
 * or (state, message, number) for a failure. */
#include <stdbool.h>

#include "abi.h"
#include "callbacks.h"

void *malloc(size_t size);
void free(void *pointer);

enum state { PENDING, JSON, BYTES /* then the failures */ };

struct status {
    uint32_t call;
    uint8_t state;
    uint32_t size;
};

_Static_assert(sizeof(struct status) == 12, "status");

/* tuple<u32, list<u8>> */
struct binary {
    uint32_t parameter;
    struct text content;
};

#define IMPORT(name) \
    __attribute__((import_module("eryx:sandbox/callbacks@0.1.0"), import_name(name))) extern

IMPORT("declared") void callbacks_declared(struct text result[2]);
IMPORT("describe") void callbacks_describe(uint32_t callback, struct text *result);
IMPORT("start") void callbacks_start(uint32_t callback, const char *arguments, uint32_t length,
                                     const struct binary *binary, uint32_t binary_length,
                                     struct status *result);
IMPORT("wait") void callbacks_wait(uint64_t nanoseconds, struct list *result);
IMPORT("join") void callbacks_join(uint32_t call, struct status *result);
IMPORT("take") void callbacks_take(uint32_t call, struct text *result);
IMPORT("cancel") void callbacks_cancel(uint32_t call);
IMPORT("interrupt-poll") void callbacks_interrupt_poll(void);

/* Most outcomes are small. */
static char scratch[4096];

/* Fetches an outcome into memory of its size. */
static void
take_into(const struct status *status, void *memory)
{
    struct text outcome;
    abi_reserve(memory, status->size);
    callbacks_take(status->call, &outcome);
    abi_reserve(NULL, 0);
}

/* The outcome as text. */
static PyObject *
take_text(const struct status *status)
{
    char *memory = status->size <= sizeof scratch ? scratch : malloc(status->size);
    if (memory == NULL) {
        callbacks_cancel(status->call);
        return PyErr_NoMemory();
    }
    take_into(status, memory);
    PyObject *text = PyUnicode_DecodeUTF8(memory, (Py_ssize_t)status->size, "replace");
    if (memory != scratch) {
        free(memory);
    }
    return text;
}

static PyObject *
take_bytes(const struct status *status)
{
    PyObject *result = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)status->size);
    char *memory = result == NULL ? NULL : PyBytes_AsString(result);
    if (memory == NULL) {
        callbacks_cancel(status->call);
        Py_DecRef(result);
        return NULL;
    }
    take_into(status, memory);
    return result;
}

/* What the Python functions return for a call. */
static PyObject *
outcome(const struct status *status)
{
    switch (status->state) {
    case PENDING:
        return PyLong_FromUnsignedLong(status->call);
    case JSON:
        return take_text(status);
    case BYTES:
        return take_bytes(status);
    }
    PyObject *message = take_text(status);
    if (message == NULL) {
        return NULL;
    }
    PyObject *items[] = {
        PyLong_FromUnsignedLong(status->state), message, PyLong_FromUnsignedLong(status->call),
    };
    return abi_pack(items, 3);
}

/* declared(): the names of the callbacks and the paths of libraries, a line
 * each. */
static PyObject *
declared(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    (void)self, (void)arguments, (void)count;
    struct text texts[2];
    callbacks_declared(texts);
    PyObject *items[] = { abi_take_string(texts[0]), abi_take_string(texts[1]) };
    return abi_pack(items, 2);
}

/* The number that is the only argument; false with an exception set. */
static bool
number(PyObject *const *arguments, Py_ssize_t count, uint32_t *result)
{
    if (count != 1) {
        PyErr_BadArgument();
        return false;
    }
    *result = (uint32_t)PyLong_AsUnsignedLong(arguments[0]);
    return PyErr_Occurred() == NULL;
}

/* describe(callback): what is known of it, as JSON. */
static PyObject *
describe(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    (void)self;
    uint32_t callback;
    if (!number(arguments, count, &callback)) {
        return NULL;
    }
    struct text text;
    callbacks_describe(callback, &text);
    return abi_take_string(text);
}

enum { MAX_BINARY = 64 };

/* Makes an item of binary of (parameter, bytes); false with an exception set. */
static bool
binary_argument(PyObject *pair, struct binary *result)
{
    PyObject *parameter = PyTuple_GetItem(pair, 0);
    PyObject *content = parameter == NULL ? NULL : PyTuple_GetItem(pair, 1);
    if (content == NULL) {
        return false;
    }
    result->parameter = (uint32_t)PyLong_AsUnsignedLong(parameter);
    if (PyErr_Occurred() != NULL) {
        return false;
    }
    char *bytes;
    Py_ssize_t length;
    if (PyBytes_AsStringAndSize(content, &bytes, &length) < 0) {
        return false;
    }
    result->content = (struct text){ bytes, (uint32_t)length };
    return true;
}

/* start(callback, json, binary): calls one. binary is a tuple of
 * (parameter, bytes). */
static PyObject *
start(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    (void)self;
    uint32_t callback;
    struct binary binary[MAX_BINARY];
    if (count != 3) {
        PyErr_BadArgument();
        return NULL;
    }
    if (!number(arguments, 1, &callback)) {
        return NULL;
    }
    Py_ssize_t length;
    const char *json = PyUnicode_AsUTF8AndSize(arguments[1], &length);
    Py_ssize_t binaries = json == NULL ? -1 : PyTuple_Size(arguments[2]);
    if (binaries < 0) {
        return NULL;
    }
    if (binaries > MAX_BINARY) {
        PyErr_BadArgument();
        return NULL;
    }
    for (Py_ssize_t i = 0; i < binaries; i++) {
        if (!binary_argument(PyTuple_GetItem(arguments[2], i), &binary[i])) {
            return NULL;
        }
    }
    struct status status;
    callbacks_start(callback, json, (uint32_t)length, binary, (uint32_t)binaries, &status);
    return outcome(&status);
}

/* wait(nanoseconds): a tuple of (number, outcome) of calls that have finished.
 * Where an outcome cannot be had, it is the exception that says why. */
static PyObject *
wait(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    (void)self;
    static struct status statuses[64]; /* what the host reports at most */
    if (count != 1) {
        PyErr_BadArgument();
        return NULL;
    }
    uint64_t nanoseconds = PyLong_AsUnsignedLongLong(arguments[0]);
    if (PyErr_Occurred() != NULL) {
        return NULL;
    }
    struct list finished;
    abi_reserve(statuses, sizeof statuses);
    callbacks_wait(nanoseconds, &finished);
    abi_reserve(NULL, 0);

    PyObject *result = PyTuple_New((Py_ssize_t)finished.length);
    for (uint32_t i = 0; i < finished.length; i++) {
        PyObject *value = outcome(&statuses[i]);
        if (value == NULL) {
            value = PyErr_GetRaisedException();
        }
        PyObject *items[] = { PyLong_FromUnsignedLong(statuses[i].call), value };
        PyObject *pair = abi_pack(items, 2);
        /* PyTuple_SetItem consumes the pair even where it fails. */
        if (result == NULL || pair == NULL || PyTuple_SetItem(result, (Py_ssize_t)i, pair) < 0) {
            Py_DecRef(result);
            result = NULL;
        }
    }
    return result;
}

/* join(call): the outcome of a pending call. */
static PyObject *
join(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    (void)self;
    uint32_t call;
    if (!number(arguments, count, &call)) {
        return NULL;
    }
    struct status status;
    callbacks_join(call, &status);
    return outcome(&status);
}

static PyObject *
none(void)
{
    return Py_GetConstant(Py_CONSTANT_NONE);
}

/* cancel(call) */
static PyObject *
cancel(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    (void)self;
    uint32_t call;
    if (!number(arguments, count, &call)) {
        return NULL;
    }
    callbacks_cancel(call);
    return none();
}

/* interrupt_poll(): the next poll ends when a call has finished. */
static PyObject *
interrupt_poll(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    (void)self, (void)arguments, (void)count;
    callbacks_interrupt_poll();
    return none();
}

#define FUNCTION(name) { #name, (PyCFunction)(void (*)(void))name, METH_FASTCALL, NULL }

static PyMethodDef functions[] = {
    FUNCTION(declared), FUNCTION(describe), FUNCTION(start),  FUNCTION(wait),
    FUNCTION(join),     FUNCTION(cancel),   FUNCTION(interrupt_poll),
};

int
callbacks_install(int (*install)(PyMethodDef *definition, const char *module_name))
{
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (install(&functions[i], "eryx_support.hostcalls") < 0) {
            return -1;
        }
    }
    return 0;
}
