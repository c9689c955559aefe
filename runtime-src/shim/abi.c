#include "abi.h"

void *malloc(size_t size);
void *realloc(void *pointer, size_t size);
void free(void *pointer);
void *memcpy(void *to, const void *from, size_t size);

/* See abi_reserve. */
static struct {
    void *memory;
    uint32_t size;
} reserved;

void
abi_reserve(void *memory, uint32_t size)
{
    reserved.memory = memory;
    reserved.size = size;
}

/* By the canonical ABI the host never asks for more than its own limits, so
 * running out of memory here means that the guest has used up its own; it
 * cannot go on, for a result that the host has already computed would be lost. */
__attribute__((export_name("cabi_realloc"))) void *
cabi_realloc(void *old, size_t old_size, size_t align, size_t new_size)
{
    (void)old_size;
    if (new_size == 0) {
        return (void *)align;
    }
    if (old == NULL && reserved.memory != NULL && new_size <= reserved.size) {
        void *memory = reserved.memory;
        reserved.memory = NULL;
        return memory;
    }
    void *result = realloc(old, new_size);
    if (result == NULL) {
        __builtin_trap();
    }
    return result;
}

void
abi_free(const void *pointer, uint32_t length)
{
    /* An empty list's pointer was never allocated. */
    if (length != 0) {
        free((void *)pointer);
    }
}

/* Precedes each block of a result. */
struct block {
    struct block *next;
    uint32_t unused; /* keeps what follows aligned to 8 bytes */
};

static struct block *blocks;

void *
abi_keep(uint32_t size)
{
    if (size > UINT32_MAX - sizeof(struct block)) {
        return NULL;
    }
    struct block *block = malloc(sizeof *block + size);
    if (block == NULL) {
        return NULL;
    }
    block->next = blocks;
    blocks = block;
    return block + 1;
}

void
abi_release(void)
{
    while (blocks != NULL) {
        struct block *next = blocks->next;
        free(blocks);
        blocks = next;
    }
}

PyObject *
abi_pack(PyObject **objects, Py_ssize_t length)
{
    PyObject *tuple = PyTuple_New(length);
    for (Py_ssize_t i = 0; i < length; i++) {
        PyObject *object = objects[i];
        if (tuple != NULL && object != NULL && PyTuple_SetItem(tuple, i, object) == 0) {
            continue;
        }
        /* PyTuple_SetItem consumes the object even where it fails. */
        if (tuple == NULL) {
            Py_DecRef(object);
        }
        Py_DecRef(tuple);
        tuple = NULL;
    }
    return tuple;
}

PyObject *
abi_take_string(struct text text)
{
    PyObject *result = PyUnicode_DecodeUTF8(text.bytes, (Py_ssize_t)text.length, NULL);
    abi_free(text.bytes, text.length);
    return result;
}

PyObject *
abi_take_bytes(struct text text)
{
    PyObject *result = PyBytes_FromStringAndSize(text.bytes, (Py_ssize_t)text.length);
    abi_free(text.bytes, text.length);
    return result;
}

/* Takes length strings, from first on, as a tuple. Where one fails the others
 * are freed all the same. */
static PyObject *
take_strings(const struct text *first, uint32_t length)
{
    PyObject *tuple = PyTuple_New((Py_ssize_t)length);
    uint32_t i = 0;
    for (; tuple != NULL && i < length; i++) {
        PyObject *item = abi_take_string(first[i]);
        if (item == NULL || PyTuple_SetItem(tuple, (Py_ssize_t)i, item) < 0) {
            Py_DecRef(tuple);
            tuple = NULL;
        }
    }
    for (; i < length; i++) {
        abi_free(first[i].bytes, first[i].length);
    }
    return tuple;
}

PyObject *
abi_take_strings(struct list list)
{
    PyObject *result = take_strings(list.items, list.length);
    abi_free(list.items, list.length);
    return result;
}

PyObject *
abi_take_pairs(struct list list)
{
    /* Names and values in turn: a pair of strings lies in memory as two. */
    PyObject *result = take_strings(list.items, 2 * list.length);
    abi_free(list.items, list.length);
    return result;
}

int
abi_give_bytes(PyObject *object, struct text *result)
{
    char *bytes;
    Py_ssize_t length;
    if (object == NULL || PyBytes_AsStringAndSize(object, &bytes, &length) < 0) {
        return -1;
    }
    char *copy = abi_keep((uint32_t)length);
    if (copy == NULL) {
        return -1;
    }
    memcpy(copy, bytes, (size_t)length);
    *result = (struct text){ copy, (uint32_t)length };
    return 0;
}

int
abi_give_string(PyObject *object, struct text *result)
{
    /* The name of the error handler is one that CPython's UTF-8 encoder knows
     * itself: the codec registry, which scripts can change, is not asked. */
    PyObject *encoded = PyUnicode_AsEncodedString(object, "utf-8", "backslashreplace");
    int given = abi_give_bytes(encoded, result);
    Py_DecRef(encoded);
    return given;
}

/* Room for as many items of the given size as the tuple has. */
static void *
keep_items(PyObject *tuple, uint32_t size, uint32_t *length)
{
    Py_ssize_t count = PyTuple_Size(tuple);
    if (count < 0 || (uint32_t)count > UINT32_MAX / size) {
        return NULL;
    }
    *length = (uint32_t)count;
    return abi_keep((uint32_t)count * size);
}

/* A borrowed item of a tuple, or NULL with an exception set. */
static PyObject *
item(PyObject *tuple, uint32_t index)
{
    return PyTuple_GetItem(tuple, (Py_ssize_t)index);
}

static int
give_string_item(PyObject *tuple, uint32_t index, struct text *result)
{
    PyObject *object = item(tuple, index);
    return object == NULL ? -1 : abi_give_string(object, result);
}

static int
give_uint_item(PyObject *tuple, uint32_t index, uint32_t *result)
{
    PyObject *object = item(tuple, index);
    if (object == NULL) {
        return -1;
    }
    long value = PyLong_AsLong(object);
    if (value == -1 && PyErr_Occurred() != NULL) {
        return -1;
    }
    *result = value < 0 ? 0 : (uint32_t)value;
    return 0;
}

int
abi_give_strings(PyObject *tuple, struct list *result)
{
    uint32_t length;
    struct text *items = keep_items(tuple, sizeof *items, &length);
    if (items == NULL) {
        return -1;
    }
    for (uint32_t i = 0; i < length; i++) {
        if (give_string_item(tuple, i, &items[i]) < 0) {
            return -1;
        }
    }
    *result = (struct list){ items, length };
    return 0;
}

static int
give_frames(PyObject *tuple, struct list *result)
{
    uint32_t length;
    struct frame *frames = keep_items(tuple, sizeof *frames, &length);
    if (frames == NULL) {
        return -1;
    }
    for (uint32_t i = 0; i < length; i++) {
        PyObject *frame = item(tuple, i);
        if (frame == NULL || give_string_item(frame, 0, &frames[i].filename) < 0 ||
            give_uint_item(frame, 1, &frames[i].line) < 0 ||
            give_string_item(frame, 2, &frames[i].function) < 0) {
            return -1;
        }
    }
    *result = (struct list){ frames, length };
    return 0;
}

int
abi_give_exception(PyObject *tuple, struct exception *result)
{
    PyObject *frames;
    if (give_string_item(tuple, 0, &result->type_name) < 0 ||
        give_string_item(tuple, 1, &result->message) < 0 ||
        give_string_item(tuple, 2, &result->traceback) < 0 ||
        (frames = item(tuple, 3)) == NULL || give_frames(frames, &result->frames) < 0 ||
        give_uint_item(tuple, 4, &result->line) < 0 ||
        give_uint_item(tuple, 5, &result->call) < 0) {
        return -1;
    }
    return 0;
}

int
abi_give_int(PyObject *object, int32_t *result)
{
    long value = PyLong_AsLong(object);
    if (value == -1 && PyErr_Occurred() != NULL) {
        return -1;
    }
    *result = (int32_t)value;
    return 0;
}
