/* TLS sessions of the host: interface eryx:sandbox/tls.
 *
 * Becomes functions of eryx_support.hosttls. Where a session says a condition
 * instead of doing what it was asked they return a negative number, and for a
 * refusal the tuple (number, text). */
#include <stdbool.h>

#include "abi.h"
#include "tls.h"

struct condition_result {
    uint8_t failed;
    uint8_t condition;
};

struct count_result {
    uint8_t failed;
    union {
        uint32_t count;
        uint8_t condition;
    } payload;
};

struct bytes_result {
    uint8_t failed;
    union {
        struct text bytes;
        uint8_t condition;
    } payload;
};

struct refusal {
    uint8_t number;
    struct text text;
};

struct refusal_result {
    uint8_t failed;
    union {
        uint32_t session;
        struct text text;
        struct refusal refusal;
    } payload;
};

_Static_assert(sizeof(struct condition_result) == 2, "handshake");
_Static_assert(sizeof(struct count_result) == 8, "write");
_Static_assert(offsetof(struct bytes_result, payload) == 4, "read");
_Static_assert(sizeof(struct bytes_result) == 12, "read");
_Static_assert(offsetof(struct refusal_result, payload.refusal.text) == 8, "open-session");
_Static_assert(sizeof(struct refusal_result) == 16, "open-session");

/* The only case of a refusal with a text. */
enum { INVALID = 2 };

#define IMPORT(name) __attribute__((import_module("eryx:sandbox/tls@0.1.0"), import_name(name))) extern
#define METHOD(name) IMPORT("[method]tls-session." name)

IMPORT("open-session") void tls_open(const char *settings, uint32_t length, struct refusal_result *result);
IMPORT("trust-authorities") void tls_trust(const char *der, uint32_t length, struct refusal_result *result);
IMPORT("check-identity") void tls_check(const char *chain, uint32_t chain_length, const char *key,
                                        uint32_t key_length, struct text *result);
IMPORT("describe-certificate") void tls_certificate(const char *der, uint32_t length, struct text *result);
IMPORT("[resource-drop]tls-session") void tls_drop(uint32_t session);
METHOD("handshake") void tls_handshake(uint32_t session, struct condition_result *result);
METHOD("answer") void tls_answer(uint32_t session, const char *settings, uint32_t length, uint32_t alert,
                                 struct refusal_result *result);
METHOD("give") uint32_t tls_give(uint32_t session, const char *bytes, uint32_t length);
METHOD("end") void tls_end(uint32_t session);
METHOD("take") void tls_take(uint32_t session, struct text *result);
METHOD("read") void tls_read(uint32_t session, uint32_t size, struct bytes_result *result);
METHOD("write") void tls_write(uint32_t session, const char *bytes, uint32_t length, struct count_result *result);
METHOD("pending") uint32_t tls_pending(uint32_t session);
METHOD("held") uint64_t tls_held(uint32_t session);
METHOD("finish") void tls_finish(uint32_t session, struct condition_result *result);
METHOD("rest") void tls_rest(uint32_t session, struct text *result);
METHOD("describe") void tls_describe(uint32_t session, struct text *result);
METHOD("explain") void tls_explain(uint32_t session, struct text *result);

/* A record's plaintext fits. */
static char scratch[16384];

static PyObject *
none(void)
{
    return Py_GetConstant(Py_CONSTANT_NONE);
}

static PyObject *
condition(uint8_t number)
{
    return PyLong_FromLong(-1 - (long)number);
}

static PyObject *
refusal(const struct refusal *refusal)
{
    PyObject *items[] = {
        PyLong_FromLong(refusal->number),
        refusal->number == INVALID ? abi_take_string(refusal->text) : none(),
    };
    return abi_pack(items, 2);
}

/* Takes so many arguments, of which the first is the number that is given;
 * false with an exception set. */
static bool
parse(PyObject *const *arguments, Py_ssize_t count, Py_ssize_t want, uint32_t *first)
{
    if (count != want) {
        PyErr_BadArgument();
        return false;
    }
    *first = (uint32_t)PyLong_AsUnsignedLong(arguments[0]);
    return PyErr_Occurred() == NULL;
}

/* open_session(settings): the session's number. */
static PyObject *
open_session(PyObject *self, PyObject *argument)
{
    (void)self;
    Py_ssize_t length;
    const char *settings = PyUnicode_AsUTF8AndSize(argument, &length);
    if (settings == NULL) {
        return NULL;
    }
    struct refusal_result result;
    tls_open(settings, (uint32_t)length, &result);
    return result.failed ? refusal(&result.payload.refusal) : PyLong_FromUnsignedLong(result.payload.session);
}

/* trust_authorities(der): the digest that names them. */
static PyObject *
trust_authorities(PyObject *self, PyObject *argument)
{
    (void)self;
    char *der;
    Py_ssize_t length;
    if (PyBytes_AsStringAndSize(argument, &der, &length) < 0) {
        return NULL;
    }
    struct refusal_result result;
    tls_trust(der, (uint32_t)length, &result);
    return result.failed ? refusal(&result.payload.refusal) : abi_take_string(result.payload.text);
}

/* check_identity(chain, key): a failure in JSON, or nothing. */
static PyObject *
check_identity(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    (void)self;
    if (count != 2) {
        PyErr_BadArgument();
        return NULL;
    }
    Py_ssize_t chain_length, key_length;
    const char *chain = PyUnicode_AsUTF8AndSize(arguments[0], &chain_length);
    const char *key = chain == NULL ? NULL : PyUnicode_AsUTF8AndSize(arguments[1], &key_length);
    if (key == NULL) {
        return NULL;
    }
    struct text result;
    tls_check(chain, (uint32_t)chain_length, key, (uint32_t)key_length, &result);
    return abi_take_string(result);
}

/* describe_certificate(der): JSON. */
static PyObject *
describe_certificate(PyObject *self, PyObject *argument)
{
    (void)self;
    char *der;
    Py_ssize_t length;
    if (PyBytes_AsStringAndSize(argument, &der, &length) < 0) {
        return NULL;
    }
    struct text result;
    tls_certificate(der, (uint32_t)length, &result);
    return abi_take_string(result);
}

/* handshake(session): 0 when it is done. */
static PyObject *
handshake(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    (void)self;
    uint32_t session;
    if (!parse(arguments, count, 1, &session)) {
        return NULL;
    }
    struct condition_result result;
    tls_handshake(session, &result);
    return result.failed ? condition(result.condition) : PyLong_FromLong(0);
}

/* answer(session, settings, alert) */
static PyObject *
answer(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    (void)self;
    uint32_t session, alert;
    if (!parse(arguments, count, 3, &session) || !parse(arguments + 2, 1, 1, &alert)) {
        return NULL;
    }
    Py_ssize_t length;
    const char *settings = PyUnicode_AsUTF8AndSize(arguments[1], &length);
    if (settings == NULL) {
        return NULL;
    }
    struct refusal_result result;
    tls_answer(session, settings, (uint32_t)length, alert & 0xff, &result);
    return result.failed ? refusal(&result.payload.refusal) : none();
}

/* give(session, bytes): how much there was room for. */
static PyObject *
give(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    (void)self;
    uint32_t session;
    struct buffer bytes;
    if (!parse(arguments, count, 2, &session) || PyObject_GetBuffer(arguments[1], &bytes, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    uint32_t given = tls_give(session, bytes.memory, (uint32_t)bytes.length);
    PyBuffer_Release(&bytes);
    return PyLong_FromUnsignedLong(given);
}

/* end(session): there is no more to give. */
static PyObject *
end(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    (void)self;
    uint32_t session;
    if (!parse(arguments, count, 1, &session)) {
        return NULL;
    }
    tls_end(session);
    return none();
}

/* take(session): ciphertext for the peer. */
static PyObject *
take(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    (void)self;
    uint32_t session;
    if (!parse(arguments, count, 1, &session)) {
        return NULL;
    }
    struct text result;
    tls_take(session, &result);
    return abi_take_bytes(result);
}

/* read(session, size): plaintext. */
static PyObject *
read(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    (void)self;
    uint32_t session, size;
    if (!parse(arguments, count, 2, &session) || !parse(arguments + 1, 1, 1, &size)) {
        return NULL;
    }
    struct bytes_result result;
    abi_reserve(scratch, sizeof scratch);
    tls_read(session, size, &result);
    abi_reserve(NULL, 0);
    if (result.failed) {
        return condition(result.payload.condition);
    }
    struct text bytes = result.payload.bytes;
    if (bytes.bytes != scratch) {
        return abi_take_bytes(bytes);
    }
    return PyBytes_FromStringAndSize(bytes.bytes, (Py_ssize_t)bytes.length);
}

/* read_into(session, size, buffer): reads into a buffer and gives how much it
 * was. */
static PyObject *
read_into(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    (void)self;
    uint32_t session, size;
    struct buffer buffer;
    if (!parse(arguments, count, 3, &session) || !parse(arguments + 1, 1, 1, &size) ||
        PyObject_GetBuffer(arguments[2], &buffer, PyBUF_WRITABLE) < 0) {
        return NULL;
    }
    if (size > (uint32_t)buffer.length) {
        size = (uint32_t)buffer.length;
    }
    struct bytes_result result;
    abi_reserve(buffer.memory, size);
    tls_read(session, size, &result);
    abi_reserve(NULL, 0);
    PyBuffer_Release(&buffer);
    return result.failed ? condition(result.payload.condition)
                         : PyLong_FromUnsignedLong(result.payload.bytes.length);
}

/* write(session, bytes): how much was taken. */
static PyObject *
write(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    (void)self;
    uint32_t session;
    struct buffer bytes;
    if (!parse(arguments, count, 2, &session) || PyObject_GetBuffer(arguments[1], &bytes, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    struct count_result result;
    tls_write(session, bytes.memory, (uint32_t)bytes.length, &result);
    PyBuffer_Release(&bytes);
    return result.failed ? condition(result.payload.condition) : PyLong_FromUnsignedLong(result.payload.count);
}

/* pending(session): how much can be read without more ciphertext. */
static PyObject *
pending(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    (void)self;
    uint32_t session;
    return parse(arguments, count, 1, &session) ? PyLong_FromUnsignedLong(tls_pending(session)) : NULL;
}

/* held(session): for how many nanoseconds the host holds something back. */
static PyObject *
held(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    (void)self;
    uint32_t session;
    return parse(arguments, count, 1, &session) ? PyLong_FromUnsignedLongLong(tls_held(session)) : NULL;
}

/* finish(session): 0 when the end has been said. */
static PyObject *
finish(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    (void)self;
    uint32_t session;
    if (!parse(arguments, count, 1, &session)) {
        return NULL;
    }
    struct condition_result result;
    tls_finish(session, &result);
    return result.failed ? condition(result.condition) : PyLong_FromLong(0);
}

/* rest(session): ciphertext that is not of the session. */
static PyObject *
rest(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    (void)self;
    uint32_t session;
    if (!parse(arguments, count, 1, &session)) {
        return NULL;
    }
    struct text result;
    tls_rest(session, &result);
    return abi_take_bytes(result);
}

/* describe(session): JSON. */
static PyObject *
describe(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    (void)self;
    uint32_t session;
    if (!parse(arguments, count, 1, &session)) {
        return NULL;
    }
    struct text result;
    tls_describe(session, &result);
    return abi_take_string(result);
}

/* explain(session): a failure in JSON. */
static PyObject *
explain(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    (void)self;
    uint32_t session;
    if (!parse(arguments, count, 1, &session)) {
        return NULL;
    }
    struct text result;
    tls_explain(session, &result);
    return abi_take_string(result);
}

/* drop(session) */
static PyObject *
drop(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    (void)self;
    uint32_t session;
    if (!parse(arguments, count, 1, &session)) {
        return NULL;
    }
    tls_drop(session);
    return none();
}

#define FUNCTION(name) { #name, (PyCFunction)(void (*)(void))name, METH_FASTCALL, NULL }

static PyMethodDef functions[] = {
    { "open_session", open_session, METH_O, NULL },
    { "trust_authorities", trust_authorities, METH_O, NULL },
    { "describe_certificate", describe_certificate, METH_O, NULL },
    FUNCTION(check_identity),
    FUNCTION(handshake),
    FUNCTION(answer),
    FUNCTION(give),
    FUNCTION(end),
    FUNCTION(take),
    FUNCTION(read),
    FUNCTION(read_into),
    FUNCTION(write),
    FUNCTION(pending),
    FUNCTION(held),
    FUNCTION(finish),
    FUNCTION(rest),
    FUNCTION(describe),
    FUNCTION(explain),
    FUNCTION(drop),
};

int
tls_install(int (*install)(PyMethodDef *definition, const char *module_name))
{
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (install(&functions[i], "eryx_support.hosttls") < 0) {
            return -1;
        }
    }
    return 0;
}
