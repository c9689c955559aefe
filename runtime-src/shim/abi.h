/* The canonical ABI of the interpreter interface (wit/sandbox.wit): how its
 * records lie in memory, and who owns what.
 *
 * Arguments are placed by the host through cabi_realloc and belong to the
 * callee, which frees them. Results are read by the host, which then calls the
 * function's cabi_post_ counterpart, and that frees them. */
#ifndef ERYX_ABI_H
#define ERYX_ABI_H

#include <stdint.h>

#include "python.h"

/* A string or a list<u8>. */
struct text {
    const char *bytes;
    uint32_t length;
};

/* Any other list. */
struct list {
    const void *items;
    uint32_t length;
};

struct frame {
    struct text filename;
    uint32_t line;
    struct text function;
};

struct exception {
    struct text type_name;
    struct text message;
    struct text traceback;
    struct list frames; /* struct frame */
    uint32_t line;
    uint32_t call;
};

struct sealed {
    struct list problems; /* struct text */
    struct list modules;  /* struct text */
};

/* result<_, string>: the tag is 0 for ok. */
struct initialize_result {
    uint8_t tag;
    struct text error;
};

/* result<sealed, exception>, and result<_, exception>. */
struct module_result {
    uint8_t tag;
    union {
        struct sealed sealed;
        struct exception exception;
    } payload;
};

enum outcome_tag { COMPLETED, RAISED, EXITED, UNSERIALIZABLE };

struct outcome {
    uint8_t tag;
    union {
        struct {
            uint8_t present;
            struct text json;
        } completed;
        struct exception raised;
        int32_t exited;
        struct text unserializable;
    } payload;
};

struct saved {
    struct text data;
    struct list lost; /* pairs of struct text */
};

/* result<saved, exception>, and result<list<lost>, exception>. */
struct saved_result {
    uint8_t tag;
    union {
        struct saved saved;
        struct exception exception;
    } payload;
};

struct load_result {
    uint8_t tag;
    union {
        struct list lost;
        struct exception exception;
    } payload;
};

_Static_assert(sizeof(struct text) == 8, "string");
_Static_assert(sizeof(struct frame) == 20, "frame");
_Static_assert(sizeof(struct exception) == 40, "exception");
_Static_assert(sizeof(struct initialize_result) == 12, "initialize");
_Static_assert(offsetof(struct module_result, payload) == 4, "seal");
_Static_assert(sizeof(struct module_result) == 44, "seal");
_Static_assert(offsetof(struct outcome, payload.completed.json) == 8, "execute");
_Static_assert(sizeof(struct outcome) == 44, "execute");

/* A text whose bytes are a constant. */
#define LITERAL(constant) ((struct text){ (constant), sizeof(constant) - 1 })

/* Frees an argument that has been used. */
void abi_free(const void *pointer, uint32_t length);

/* Memory for a result, freed by abi_release; NULL where there is none left. */
void *abi_keep(uint32_t size);

/* Where cabi_realloc puts the next list, if that is not larger: a function that
 * knows how much it will be given can make room itself, and fail without
 * ending the guest. NULL takes it back. */
void abi_reserve(void *memory, uint32_t size);

/* A tuple of the given objects, which it consumes; NULL if any is NULL. */
PyObject *abi_pack(PyObject **objects, Py_ssize_t length);

/* Frees everything that abi_keep gave. */
void abi_release(void);

/* The following take an argument apart; each consumes what it is given and
 * returns NULL with a Python exception set where it cannot. */
PyObject *abi_take_string(struct text text);
PyObject *abi_take_bytes(struct text text);
PyObject *abi_take_strings(struct list list); /* list<string>, as a tuple */
PyObject *abi_take_pairs(struct list list);   /* list<tuple<string, string>> */

/* The following turn Python objects into results. They return 0, or -1 with a
 * Python exception set where the object is not of the type they expect. */
int abi_give_string(PyObject *object, struct text *result);
int abi_give_bytes(PyObject *object, struct text *result);
int abi_give_strings(PyObject *tuple, struct list *result);
int abi_give_exception(PyObject *tuple, struct exception *result);
int abi_give_int(PyObject *object, int32_t *result);

#endif
