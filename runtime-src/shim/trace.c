/* The callbacks of sys.monitoring. eryx_support.tracing registers them when the
 * host has selected something; nothing of this runs otherwise.
 *
 * They are in C because they run for each line, and because what is in Python
 * would itself be seen by a script's own sys.settrace. A script can get hold of
 * them and call them with anything, so they check what they are given; and they
 * never fail, for an exception would be the script's. */
#include <stdbool.h>

#include "abi.h"
#include "trace.h"

void *malloc(size_t size);
void free(void *pointer);
int memcmp(const void *a, const void *b, size_t size);
void *memcpy(void *to, const void *from, size_t size);

#define IMPORT(name) \
    __attribute__((import_module("eryx:sandbox/tracing@0.1.0"), import_name(name))) extern

struct selection {
    uint8_t events;
    uint32_t every;
};
enum { LINES = 1, CALLS = 2, EXCEPTIONS = 4 };
enum entry { CALLED, RESUMED };
enum departure { RETURNED, SUSPENDED, ENDED_BY_EXCEPTION };

IMPORT("tracing-selection") void host_selection(struct selection *result);
IMPORT("name-function")
uint32_t host_name_function(const char *filename, uint32_t filename_length, const char *name,
                            uint32_t name_length);
IMPORT("forget-function") void host_forget_function(uint32_t function);
IMPORT("trace-line") void host_line(uint32_t function, uint32_t line, uint32_t depth);
IMPORT("trace-call")
void host_call(uint32_t function, uint32_t line, uint32_t depth, uint32_t how);
IMPORT("trace-return")
void host_return(uint32_t function, uint32_t line, uint32_t depth, uint32_t how);
IMPORT("trace-exception")
void host_exception(uint32_t function, uint32_t line, uint32_t depth, const char *type_name,
                    uint32_t type_name_length, const char *message, uint32_t message_length);

/* No text that the host gets is longer, in bytes. */
enum { MAX_TEXT = 4096 };

/* What is known of a code object, which carries it. */
struct function {
    uint32_t execution; /* that in which this was found out */
    uint32_t number;    /* the host's; 0 for code that is not traced */
    uint32_t line;      /* where it begins */
};

static struct {
    uint32_t execution; /* counts them */
    struct selection selection;
    uint32_t lines;     /* since the last one that was told */
    uint32_t depth;
    bool busy;          /* code of our own runs, of which nothing is told */
    /* The exception that was told last and may be on its way through other
     * frames, and the same when it has come to a handler, which may not want
     * it. They are compared only, never looked into. */
    PyObject *told, *handled;
    char script[MAX_TEXT]; /* the script's file name */
    uint32_t script_length;
    /* From eryx_support.tracing. */
    PyObject *watch, *describe, *disable;
} state;

static Py_ssize_t extra_index = -1;

/* What callbacks return, which is immortal. */
static PyObject *
nothing(void)
{
    return Py_GetConstantBorrowed(Py_CONSTANT_NONE);
}

static void
release(void *extra)
{
    struct function *f = extra;
    if (f == NULL) {
        return;
    }
    if (f->number != 0 && f->execution == state.execution) {
        host_forget_function(f->number);
    }
    free(f);
}

/* The UTF-8 of a string, at most MAX_TEXT bytes of it. Returns its length, or
 * -1 if object is not a string. */
static int32_t
copy_text(PyObject *object, char *to)
{
    PyObject *encoded =
        object == NULL ? NULL : PyUnicode_AsEncodedString(object, "utf-8", "backslashreplace");
    char *bytes;
    Py_ssize_t length;
    if (encoded == NULL || PyBytes_AsStringAndSize(encoded, &bytes, &length) < 0) {
        PyErr_Clear();
        Py_DecRef(encoded);
        return -1;
    }
    if (length > MAX_TEXT) {
        length = MAX_TEXT;
        while (length > 0 && (bytes[length] & 0xc0) == 0x80) {
            length--; /* not in the middle of a character */
        }
    }
    memcpy(to, bytes, (size_t)length);
    Py_DecRef(encoded);
    return (int32_t)length;
}

static int32_t
copy_attribute(PyObject *object, const char *attribute, char *to)
{
    PyObject *value = PyObject_GetAttrString(object, attribute);
    int32_t length = copy_text(value, to);
    Py_DecRef(value);
    return length;
}

static bool
begins_with(const char *text, int32_t length, struct text prefix)
{
    return length >= (int32_t)prefix.length && memcmp(text, prefix.bytes, prefix.length) == 0;
}

/* How much of a script's file name it has in common with those of the scripts
 * before it in a session: that of "<user>", "<user-2>" is "<user". */
static uint32_t
stem(const char *filename, uint32_t length)
{
    if (length < 2 || filename[length - 1] != '>') {
        return length;
    }
    uint32_t end = length - 1, digits = end;
    while (digits > 0 && filename[digits - 1] >= '0' && filename[digits - 1] <= '9') {
        digits--;
    }
    return digits < end && digits > 1 && filename[digits - 1] == '-' ? digits - 1 : end;
}

/* Whether code of this file is the user's. Other names in angle brackets are of
 * code that somebody made: dataclasses, named tuples, frozen modules. "sys" is
 * where the interpreter itself seems to be. */
static bool
is_users(const char *filename, int32_t length)
{
    if (length > 0) {
        uint32_t common = stem(filename, (uint32_t)length);
        if (common == stem(state.script, state.script_length) &&
            (filename[length - 1] == '>') == (state.script[state.script_length - 1] == '>') &&
            memcmp(filename, state.script, common) == 0) {
            return true;
        }
    }
    if (length == 3 && begins_with(filename, length, LITERAL("sys"))) {
        return false;
    }
    return length > 0 && !begins_with(filename, length, LITERAL("<")) &&
           !begins_with(filename, length, LITERAL("/usr/lib/"));
}

/* Finds out what is to be known of code. */
static void
introduce(PyObject *code, struct function *f)
{
    static char filename[MAX_TEXT], name[MAX_TEXT];
    *f = (struct function){ .execution = state.execution };
    int32_t filename_length = copy_attribute(code, "co_filename", filename);
    if (!is_users(filename, filename_length)) {
        return;
    }
    int32_t name_length = copy_attribute(code, "co_qualname", name);
    PyObject *line = PyObject_GetAttrString(code, "co_firstlineno");
    int32_t first;
    if (name_length >= 0 && line != NULL && abi_give_int(line, &first) == 0) {
        f->line = first < 0 ? 0 : (uint32_t)first;
        f->number = host_name_function(filename, (uint32_t)filename_length, name,
                                       (uint32_t)name_length);
    }
    Py_DecRef(line);
    PyErr_Clear();
    if (f->number != 0) {
        /* From here on there are events of its lines and its ends. */
        Py_DecRef(PyObject_CallFunctionObjArgs(state.watch, code, NULL));
        PyErr_Clear();
    }
}

/* What is known of an object that ought to be code; NULL if it is not the
 * user's, or not code. */
static struct function *
function_of(PyObject *code)
{
    void *extra = NULL;
    if (PyUnstable_Code_GetExtra(code, extra_index, &extra) < 0) {
        PyErr_Clear();
        return NULL;
    }
    struct function *f = extra;
    if (f == NULL) {
        f = malloc(sizeof *f);
        if (f == NULL) {
            return NULL;
        }
        *f = (struct function){ .execution = 0 };
        if (PyUnstable_Code_SetExtra(code, extra_index, f) < 0) {
            PyErr_Clear();
            free(f);
            return NULL;
        }
    }
    if (f->execution != state.execution) {
        bool busy = state.busy;
        state.busy = true;
        introduce(code, f);
        state.busy = busy;
    }
    return f->number == 0 ? NULL : f;
}

static uint32_t
current_line(void)
{
    PyObject *frame = PyEval_GetFrame();
    int line = frame == NULL ? 0 : PyFrame_GetLineNumber(frame);
    return line < 0 ? 0 : (uint32_t)line;
}

/* The callback's code, if there is something to tell of it. */
static struct function *
subject(PyObject *const *args, Py_ssize_t count)
{
    if (count == 0 || state.busy || state.selection.events == 0) {
        return NULL;
    }
    return function_of(args[0]);
}

static PyObject *
on_start(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    (void)self;
    struct function *f = subject(args, count);
    if (f == NULL) {
        if (state.busy || state.disable == NULL) {
            return nothing();
        }
        Py_IncRef(state.disable); /* there is nothing to tell of this code, ever */
        return state.disable;
    }
    state.depth++;
    if (state.selection.events & CALLS) {
        host_call(f->number, f->line, state.depth, CALLED);
    }
    return nothing();
}

/* Of a generator or coroutine that goes on, be it with an exception. */
static PyObject *
on_resume(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    (void)self;
    struct function *f = subject(args, count);
    if (f != NULL) {
        state.depth++;
        if (state.selection.events & CALLS) {
            host_call(f->number, current_line(), state.depth, RESUMED);
        }
    }
    return nothing();
}

static PyObject *
leave(PyObject *const *args, Py_ssize_t count, enum departure how)
{
    struct function *f = subject(args, count);
    if (f != NULL) {
        if (state.selection.events & CALLS) {
            host_return(f->number, current_line(), state.depth, how);
        }
        if (state.depth > 0) {
            state.depth--;
        }
    }
    return nothing();
}

static PyObject *
on_return(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    (void)self;
    return leave(args, count, RETURNED);
}

static PyObject *
on_yield(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    (void)self;
    return leave(args, count, SUSPENDED);
}

static PyObject *
on_unwind(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    (void)self;
    return leave(args, count, ENDED_BY_EXCEPTION);
}

static PyObject *
on_line(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    (void)self;
    struct function *f = count < 2 ? NULL : subject(args, count);
    if (f == NULL) {
        return nothing();
    }
    state.told = NULL; /* it was caught, by C perhaps */
    if (++state.lines < state.selection.every) {
        return nothing();
    }
    state.lines = 0;
    int32_t line;
    if (abi_give_int(args[1], &line) < 0) {
        PyErr_Clear();
        return nothing();
    }
    host_line(f->number, line < 0 ? 0 : (uint32_t)line, state.depth);
    return nothing();
}

static bool
is_exception(PyObject *object)
{
    PyObject *type = PyObject_Type(object);
    bool is = PyType_IsSubtype(type, PyExc_BaseException) != 0;
    Py_DecRef(type);
    return is;
}

/* How many frames an exception has been in: the one that runs, others as well,
 * or none at all, where an iterator ends. */
enum passage { NOWHERE, HERE, ELSEWHERE };

static enum passage
passage_of(PyObject *exception)
{
    PyObject *traceback = PyException_GetTraceback(exception);
    if (traceback == NULL) {
        return NOWHERE;
    }
    PyObject *next = PyObject_GetAttrString(traceback, "tb_next");
    enum passage passage = next == NULL || next == nothing() ? HERE : ELSEWHERE;
    PyErr_Clear();
    Py_DecRef(next);
    Py_DecRef(traceback);
    return passage;
}

/* There is an event for each frame that an exception passes. Only the first of
 * the user's is told, until something else happens. */
static PyObject *
on_raise(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    (void)self;
    static char type_name[MAX_TEXT], message[MAX_TEXT];
    if (count < 3 || state.busy || !is_exception(args[2])) {
        return nothing();
    }
    PyObject *exception = args[2];
    struct function *f = subject(args, count);
    if (exception == state.told && passage_of(exception) == HERE) {
        state.told = NULL; /* another one, in the memory of the first one */
    }
    if (f == NULL || exception == state.told || passage_of(exception) == NOWHERE) {
        return nothing();
    }
    state.told = exception;
    uint32_t line = current_line();
    state.busy = true;
    PyObject *pair = PyObject_CallFunctionObjArgs(state.describe, exception, NULL);
    state.busy = false;
    PyObject *first = pair == NULL ? NULL : PyTuple_GetItem(pair, 0);
    PyObject *second = first == NULL ? NULL : PyTuple_GetItem(pair, 1);
    int32_t type_length = copy_text(first, type_name);
    int32_t message_length = copy_text(second, message);
    PyErr_Clear();
    Py_DecRef(pair);
    host_exception(f->number, line, state.depth, type_name,
                   type_length < 0 ? 0 : (uint32_t)type_length, message,
                   message_length < 0 ? 0 : (uint32_t)message_length);
    return nothing();
}

/* By a bare raise, where a finally or with block ends, or where no except
 * clause is for it: it has been told. */
static PyObject *
on_reraise(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    (void)self;
    if (count >= 3 && !state.busy && (args[2] == state.handled || subject(args, count) != NULL)) {
        state.told = args[2];
    }
    return nothing();
}

static PyObject *
on_handled(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    (void)self, (void)args, (void)count;
    if (!state.busy) {
        state.handled = state.told;
        state.told = NULL;
    }
    return nothing();
}

/* Asks the host what it wants to be told of the script of that file name, from
 * now on, and returns that as a number. The functions are what the callbacks
 * call, and what they return for code that has no events. */
static PyObject *
begin(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    (void)self;
    state.selection = (struct selection){ .events = 0, .every = 1 };
    if (count != 4) {
        return PyLong_FromLong(0);
    }
    struct selection selection;
    host_selection(&selection);
    if (selection.events == 0) {
        return PyLong_FromLong(0);
    }
    if (extra_index < 0) {
        extra_index = PyUnstable_Eval_RequestCodeExtraIndex(release);
    }
    int32_t length = copy_text(args[0], state.script);
    state.script_length = length < 0 ? 0 : (uint32_t)length;
    PyObject **kept[] = { &state.watch, &state.describe, &state.disable };
    for (int i = 0; i < 3; i++) {
        Py_IncRef(args[i + 1]);
        Py_DecRef(*kept[i]);
        *kept[i] = args[i + 1];
    }
    state.execution++;
    state.lines = state.depth = 0;
    state.busy = false;
    state.told = state.handled = NULL;
    state.selection = selection;
    return PyLong_FromLong(selection.events);
}

#define DEFINITION(function) \
    { #function, (PyCFunction)(void (*)(void))(function), METH_FASTCALL, NULL }

PyMethodDef trace_definitions[] = {
    DEFINITION(begin),     DEFINITION(on_start), DEFINITION(on_resume),  DEFINITION(on_return),
    DEFINITION(on_yield),  DEFINITION(on_unwind), DEFINITION(on_line),   DEFINITION(on_raise),
    DEFINITION(on_reraise), DEFINITION(on_handled),
    { NULL, NULL, 0, NULL },
};
