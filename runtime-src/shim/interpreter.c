/* The exports of interface eryx:sandbox/interpreter.
 *
 * Everything of substance is Python (runtime-src/python/eryx_support): this
 * file converts a request to Python objects, calls the function in charge and
 * converts what it returns, trusting neither its type nor its size. The
 * functions are looked up once, at initialization, so that nothing a script
 * does to sys.modules makes a difference. */
#include <stdbool.h>

#include "abi.h"
#include "callbacks.h"
#include "heap.h"
#include "trace.h"
#include "wait.h"

#define INTERFACE "eryx:sandbox/interpreter@0.1.0"
#define EXPORT(name) __attribute__((export_name(INTERFACE "#" name)))
#define EXPORT_POST(name) __attribute__((export_name("cabi_post_" INTERFACE "#" name)))

static bool initialized;

void *malloc(size_t size);
void free(void *pointer);

/* Memory for flushing, if the script has taken all the rest. */
static void *reserve;
enum { RESERVE = 32 << 10 };

/* Functions of eryx_support. Those of the interface return (tag, payload), the
 * tag being that of the WIT type; describe makes an exception's record. */
static struct {
    PyObject *preimport, *setup, *seal, *execute, *describe, *flush;
    PyObject *session_run, *session_clear, *session_finish, *session_save, *session_load;
    PyObject *flushers; /* not a function but a tuple of (function, stream) */
    PyObject *resets;   /* nor is this, but a tuple of functions */
} support;

static const struct {
    const char *name;
    PyObject **function;
} support_functions[] = {
    { "preimport", &support.preimport }, { "setup", &support.setup },
    { "seal", &support.seal },           { "execute", &support.execute },
    { "describe", &support.describe },   { "flush", &support.flush },
    { "session_run", &support.session_run },
    { "session_clear", &support.session_clear },
    { "session_finish", &support.session_finish },
    { "session_save", &support.session_save },
    { "session_load", &support.session_load },
    { "flushers", &support.flushers },   { "resets", &support.resets },
};

/* Fills in an exception record without Python's help. */
static void
plain_exception(struct exception *result, struct text type_name, struct text message)
{
    static const struct frame no_frames[1]; /* its address is aligned */
    *result = (struct exception){
        .type_name = type_name, .message = message, .traceback = message,
        .frames = { no_frames, 0 },
    };
}

/* Ends what a script has Python call while it runs: whatever else went wrong, it
 * may go wrong in each line of Python. */
static void
reset_hooks(void)
{
    for (Py_ssize_t i = 0; i < PyTuple_Size(support.resets); i++) {
        Py_DecRef(PyObject_CallObject(PyTuple_GetItem(support.resets, i), NULL));
        PyErr_Clear();
    }
}

/* Turns the pending Python exception, or its absence, into a record. */
static void
pending_exception(struct exception *result)
{
    if (!initialized) {
        plain_exception(result, LITERAL("RuntimeError"),
                        LITERAL("the interpreter has not been initialized"));
        return;
    }
    PyObject *exception = PyErr_GetRaisedException();
    if (exception != NULL) {
        reset_hooks();
        PyObject *record = PyObject_CallFunctionObjArgs(support.describe, exception, NULL);
        Py_DecRef(exception);
        int given = record == NULL ? -1 : abi_give_exception(record, result);
        Py_DecRef(record);
        if (given == 0) {
            return;
        }
        exception = PyErr_GetRaisedException();
        if (exception != NULL) {
            int memory = PyErr_GivenExceptionMatches(exception, PyExc_MemoryError);
            PyErr_DisplayException(exception); /* on stderr, if that is possible */
            Py_DecRef(exception);
            if (!memory) {
                plain_exception(result, LITERAL("SystemError"),
                                LITERAL("the interpreter is too damaged to describe what happened"));
                return;
            }
        }
    }
    plain_exception(result, LITERAL("MemoryError"),
                    LITERAL("no memory is left to describe what happened"));
}

/* Drives a generator of eryx_support, which it consumes: calls the functions that
 * it yields, with their arguments, as those of nobody. Returns what it returned. */
static PyObject *
drive(PyObject *steps)
{
    PyObject *result = NULL;
    PyObject *value = Py_GetConstant(Py_CONSTANT_NONE);
    bool raised = false;
    for (;;) {
        PyObject *call = NULL;
        int sent;
        if (raised) {
            PyObject *throw = PyObject_GetAttrString(steps, "throw");
            call = throw == NULL ? NULL : PyObject_CallFunctionObjArgs(throw, value, NULL);
            Py_DecRef(throw);
            sent = call == NULL ? PYGEN_ERROR : PYGEN_NEXT;
        } else {
            sent = PyIter_Send(steps, value, &call);
        }
        Py_DecRef(value);
        if (sent == PYGEN_RETURN) {
            result = call;
            break;
        }
        if (sent == PYGEN_ERROR) {
            /* So ends a generator, too, that something was thrown into. */
            PyObject *end = PyErr_GetRaisedException();
            if (PyErr_GivenExceptionMatches(end, PyExc_StopIteration)) {
                result = PyObject_GetAttrString(end, "value");
                Py_DecRef(end);
            } else {
                PyErr_SetRaisedException(end);
            }
            break;
        }
        PyObject *function = PyTuple_GetItem(call, 0);
        PyObject *arguments = function == NULL ? NULL : PyTuple_GetItem(call, 1);
        value = arguments == NULL ? NULL : PyObject_CallObject(function, arguments);
        raised = value == NULL;
        if (raised) {
            value = PyErr_GetRaisedException();
        }
        Py_DecRef(call);
        reset_hooks();
    }
    Py_DecRef(steps);
    return result;
}

/* Calls a function of eryx_support with the arguments, which it consumes and
 * which may be NULL with an exception set. Returns what it, or the generator that
 * it is, returned. */
static PyObject *
call_support(PyObject *function, PyObject *arguments)
{
    if (arguments == NULL) {
        return NULL;
    }
    PyObject *result = PyObject_CallObject(function, arguments);
    Py_DecRef(arguments);
    return result != NULL && PyIter_Check(result) ? drive(result) : result;
}

/* Takes (tag, payload) apart: the tag, or -1 with an exception set. The
 * payload is borrowed. */
static int32_t
unpack(PyObject *result, PyObject **payload)
{
    int32_t tag;
    PyObject *first = result == NULL ? NULL : PyTuple_GetItem(result, 0);
    if (first == NULL || abi_give_int(first, &tag) < 0 ||
        (*payload = PyTuple_GetItem(result, 1)) == NULL) {
        return -1;
    }
    return tag;
}

/* ---- initialize ---- */

static struct text
init_config_error(PyInitConfig *config)
{
    const char *message;
    if (config == NULL || PyInitConfig_GetError(config, &message) != 1 || message == NULL) {
        return LITERAL("Python could not be configured: out of memory");
    }
    /* The message goes with config, so copy it. */
    uint32_t length = 0;
    while (message[length] != '\0') {
        length++;
    }
    char *copy = abi_keep(length);
    if (copy == NULL) {
        return LITERAL("Python could not be configured: out of memory");
    }
    for (uint32_t i = 0; i < length; i++) {
        copy[i] = message[i];
    }
    return (struct text){ copy, length };
}

static const struct {
    const char *name;
    int64_t value;
} int_options[] = {
    { "isolated", 1 },
    { "use_environment", 0 },
    { "utf8_mode", 1 },
    { "safe_path", 1 },
    { "parse_argv", 0 },
    { "install_signal_handlers", 0 },
    { "write_bytecode", 0 },
    { "user_site_directory", 0 },
    { "site_import", 1 },
    { "pathconfig_warnings", 0 },
    { "use_hash_seed", 1 },
    { "cpu_count", 1 },
};

static const struct {
    const char *name, *value;
} string_options[] = {
    { "program_name", "python3" },
    { "executable", "" },
    { "base_executable", "" },
    { "home", "/usr" },
    { "prefix", "/usr" },
    { "base_prefix", "/usr" },
    { "exec_prefix", "/usr" },
    { "base_exec_prefix", "/usr" },
    { "stdlib_dir", "/usr/lib/python3.14" },
    { "filesystem_encoding", "utf-8" },
    { "filesystem_errors", "surrogateescape" },
};

static int
configure(PyInitConfig *config, const struct text *paths, uint32_t count, uint32_t hash_seed)
{
    for (size_t i = 0; i < sizeof int_options / sizeof *int_options; i++) {
        if (PyInitConfig_SetInt(config, int_options[i].name, int_options[i].value) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < sizeof string_options / sizeof *string_options; i++) {
        if (PyInitConfig_SetStr(config, string_options[i].name, string_options[i].value) < 0) {
            return -1;
        }
    }
    if (PyInitConfig_SetInt(config, "hash_seed", hash_seed) < 0) {
        return -1;
    }
    /* PyInitConfig wants C strings. */
    char **search = abi_keep((count + 1) * sizeof *search);
    if (search == NULL) {
        return -1;
    }
    for (uint32_t i = 0; i < count; i++) {
        search[i] = abi_keep(paths[i].length + 1);
        if (search[i] == NULL) {
            return -1;
        }
        for (uint32_t j = 0; j < paths[i].length; j++) {
            search[i][j] = paths[i].bytes[j];
        }
        search[i][paths[i].length] = '\0';
    }
    return PyInitConfig_SetStrList(config, "module_search_paths", count, search);
}

/* What went wrong while the support modules were imported, as text; the
 * traceback goes to stderr. */
static struct text
import_error(void)
{
    struct text text = LITERAL("eryx_support could not be imported");
    PyObject *exception = PyErr_GetRaisedException();
    if (exception == NULL) {
        return text;
    }
    PyErr_DisplayException(exception);
    PyObject *message = PyObject_Str(exception);
    if (message == NULL || abi_give_string(message, &text) < 0) {
        PyErr_Clear();
    }
    Py_DecRef(message);
    Py_DecRef(exception);
    return text;
}

/* eryx:sandbox/process, by which the host learns the exact exit code:
 * wasi:cli/exit of WASI 0.2.0 knows only success and failure. */
__attribute__((import_module("eryx:sandbox/process@0.1.0"), import_name("exit"))) extern void
process_exit(int32_t code);

/* os._exit: ends the guest at once. */
static PyObject *
exit_now(PyObject *self, PyObject *argument)
{
    (void)self;
    int32_t code;
    if (abi_give_int(argument, &code) < 0) {
        return NULL;
    }
    Py_DecRef(PyObject_CallObject(support.flush, NULL));
    process_exit(code);
    __builtin_trap();
}

static PyMethodDef exit_definition = {
    "_exit", exit_now, METH_O,
    "_exit($module, status, /)\n--\n\nExit to the system with specified status, "
    "without normal exit processing.",
};

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

/* eryx_support.host.end_poll: has the next poll end when the script is
 * interrupted. */
static PyObject *
end_poll(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    (void)self, (void)arguments, (void)count;
    wait_ends = true;
    return Py_GetConstant(Py_CONSTANT_NONE);
}

static PyMethodDef end_poll_definition = { "end_poll", (PyCFunction)(void *)end_poll, METH_FASTCALL, NULL };

/* Makes a function an attribute of a module. */
static int
install(PyMethodDef *definition, const char *module_name)
{
    PyObject *function = PyCFunction_NewEx(definition, NULL, NULL);
    PyObject *module = function == NULL ? NULL : PyImport_ImportModule(module_name);
    int result = module == NULL ? -1 : PyObject_SetAttrString(module, definition->name, function);
    Py_DecRef(module);
    Py_DecRef(function);
    return result;
}

static int
find_support(void)
{
    PyObject *module = PyImport_ImportModule("eryx_support");
    if (module == NULL) {
        return -1;
    }
    for (size_t i = 0; i < sizeof support_functions / sizeof *support_functions; i++) {
        PyObject *function = PyObject_GetAttrString(module, support_functions[i].name);
        if (function == NULL) {
            Py_DecRef(module);
            return -1;
        }
        *support_functions[i].function = function;
    }
    Py_DecRef(module);

    if (install(&exit_definition, "os") < 0 || install(&exit_definition, "posix") < 0 ||
        install(&immortalize_definition, "eryx_support.lifecycle") < 0 ||
        install(&wait_definition, "eryx_support.host") < 0 ||
        install(&end_poll_definition, "eryx_support.host") < 0 ||
        callbacks_install(install) < 0) {
        return -1;
    }
    for (PyMethodDef *d = trace_definitions; d->name != NULL; d++) {
        if (install(d, "eryx_support.tracing") < 0) {
            return -1;
        }
    }
    return 0;
}

EXPORT("initialize")
struct initialize_result *
initialize(const struct text *paths, uint32_t count, uint32_t hash_seed)
{
    static struct initialize_result result;
    static bool called;
    result = (struct initialize_result){ .tag = 1 };
    if (called) {
        result.error = LITERAL("Python can be initialized only once");
        return &result;
    }
    called = true;

    PyInitConfig *config = PyInitConfig_Create();
    if (config == NULL || configure(config, paths, count, hash_seed) < 0 ||
        Py_InitializeFromInitConfig(config) < 0) {
        result.error = init_config_error(config);
    } else if (find_support() < 0) {
        result.error = import_error();
    } else {
        initialized = true;
        reserve = malloc(RESERVE);
        result.tag = 0;
    }
    if (config != NULL) {
        PyInitConfig_Free(config);
    }
    for (uint32_t i = 0; i < count; i++) {
        abi_free(paths[i].bytes, paths[i].length);
    }
    abi_free(paths, count);
    return &result;
}

/* ---- preimport, setup, seal ---- */

static struct module_result module_result;

/* Calls function and makes a result<_, exception> of what it returns; sealing
 * says that the ok case has a payload. */
static struct module_result *
call_for_module(PyObject *function, PyObject *arguments, bool sealing)
{
    struct module_result *result = &module_result;
    *result = (struct module_result){ .tag = 1 };
    PyObject *payload = NULL;
    PyObject *value = call_support(function, arguments);
    int32_t tag = unpack(value, &payload);
    int given = -1;
    if (tag == 0) {
        result->tag = 0;
        given = 0;
        if (sealing) {
            struct sealed *sealed = &result->payload.sealed;
            PyObject *problems = PyTuple_GetItem(payload, 0);
            PyObject *modules = problems == NULL ? NULL : PyTuple_GetItem(payload, 1);
            if (modules == NULL || abi_give_strings(problems, &sealed->problems) < 0 ||
                abi_give_strings(modules, &sealed->modules) < 0) {
                given = -1;
            }
        }
    } else if (tag == 1) {
        given = abi_give_exception(payload, &result->payload.exception);
    }
    if (given < 0) {
        result->tag = 1;
        pending_exception(&result->payload.exception);
    }
    Py_DecRef(value);
    return result;
}

/* What a call made before initialize returns. */
static struct module_result *
uninitialized_module(void)
{
    module_result = (struct module_result){ .tag = 1 };
    pending_exception(&module_result.payload.exception);
    return &module_result;
}

EXPORT("preimport")
struct module_result *
preimport(const char *name, uint32_t length)
{
    if (!initialized) {
        abi_free(name, length);
        return uninitialized_module();
    }
    PyObject *arguments[] = { abi_take_string((struct text){ name, length }) };
    return call_for_module(support.preimport, abi_pack(arguments, 1), false);
}

EXPORT("setup")
struct module_result *
setup(const char *source, uint32_t source_length, const char *filename, uint32_t filename_length)
{
    if (!initialized) {
        abi_free(source, source_length);
        abi_free(filename, filename_length);
        return uninitialized_module();
    }
    PyObject *arguments[] = {
        abi_take_string((struct text){ source, source_length }),
        abi_take_string((struct text){ filename, filename_length }),
    };
    return call_for_module(support.setup, abi_pack(arguments, 2), false);
}

EXPORT("seal")
struct module_result *
seal(void)
{
    if (!initialized) {
        return uninitialized_module();
    }
    struct module_result *result = call_for_module(support.seal, PyTuple_New(0), true);
    /* Also empties the lists of freed objects that types keep for reuse. */
    PyGC_Collect();
    return result;
}

/* ---- execute ---- */

static struct outcome *
give_outcome(PyObject *value)
{
    static struct outcome outcome;
    outcome = (struct outcome){ .tag = COMPLETED };
    PyObject *payload = NULL;
    int32_t tag = unpack(value, &payload);
    int given = -1;
    switch (tag) {
    case COMPLETED:
        outcome.payload.completed.present = payload != Py_GetConstantBorrowed(Py_CONSTANT_NONE);
        given = outcome.payload.completed.present
                    ? abi_give_string(payload, &outcome.payload.completed.json)
                    : 0;
        break;
    case RAISED:
        given = abi_give_exception(payload, &outcome.payload.raised);
        break;
    case EXITED:
        given = abi_give_int(payload, &outcome.payload.exited);
        break;
    case UNSERIALIZABLE:
        given = abi_give_string(payload, &outcome.payload.unserializable);
        break;
    }
    if (given < 0) {
        outcome = (struct outcome){ .tag = RAISED };
        pending_exception(&outcome.payload.raised);
    } else {
        outcome.tag = (uint8_t)tag;
    }
    return &outcome;
}

#define REQUEST                                                                          \
    const char *source, uint32_t source_length, const char *filename,                    \
        uint32_t filename_length, const void *arguments, uint32_t arguments_length,      \
        const void *environment, uint32_t environment_length, const char *entropy,       \
        uint32_t entropy_length, const char *result_name, uint32_t result_name_length

static struct outcome *
run(PyObject **function, bool interactive, REQUEST)
{
    if (!initialized) {
        /* Nothing will run here: the arguments are left where they are. */
        return give_outcome(NULL);
    }
    PyObject *request[] = {
        abi_take_string((struct text){ source, source_length }),
        abi_take_string((struct text){ filename, filename_length }),
        abi_take_strings((struct list){ arguments, arguments_length }),
        abi_take_pairs((struct list){ environment, environment_length }),
        abi_take_bytes((struct text){ entropy, entropy_length }),
        abi_take_string((struct text){ result_name, result_name_length }),
        PyBool_FromLong(interactive),
    };
    PyObject *value = call_support(*function, abi_pack(request, 7));
    struct outcome *outcome = give_outcome(value);
    Py_DecRef(value);
    return outcome;
}

#define REQUEST_PASSED                                                                   \
    source, source_length, filename, filename_length, arguments, arguments_length,       \
        environment, environment_length, entropy, entropy_length, result_name,           \
        result_name_length

EXPORT("execute")
struct outcome *
execute(REQUEST)
{
    return run(&support.execute, false, REQUEST_PASSED);
}

/* ---- sessions: the exports of interface eryx:sandbox/session ---- */

#define SESSION "eryx:sandbox/session@0.1.0"
#define SESSION_EXPORT(name) __attribute__((export_name(SESSION "#" name)))

SESSION_EXPORT("run")
struct outcome *
session_run(REQUEST, uint32_t interactive)
{
    return run(&support.session_run, interactive != 0, REQUEST_PASSED);
}

/* Calls a function that takes nothing and gives result<_, exception>. */
static struct module_result *
call_session(PyObject **function)
{
    return initialized ? call_for_module(*function, PyTuple_New(0), false)
                       : uninitialized_module();
}

SESSION_EXPORT("clear")
struct module_result *
session_clear(void)
{
    return call_session(&support.session_clear);
}

SESSION_EXPORT("finish")
struct module_result *
session_finish(void)
{
    return call_session(&support.session_finish);
}

/* Calls function and makes a result<saved, exception> of what it returns:
 * bytes, and names and reasons in turn. A result<list<lost>, exception> is the
 * same without the bytes. */
static struct saved_result *
call_for_saved(PyObject *function, PyObject *arguments)
{
    static struct saved_result result;
    result = (struct saved_result){ .tag = 0 };
    PyObject *payload = NULL;
    PyObject *value = call_support(function, arguments);
    int32_t tag = unpack(value, &payload);
    int given = -1;
    if (tag == 0) {
        struct saved *saved = &result.payload.saved;
        PyObject *lost = PyTuple_GetItem(payload, 1);
        if (lost != NULL && abi_give_bytes(PyTuple_GetItem(payload, 0), &saved->data) == 0 &&
            abi_give_strings(lost, &saved->lost) == 0) {
            saved->lost.length /= 2; /* a pair of strings lies in memory as two */
            given = 0;
        }
    } else if (tag == 1) {
        result.tag = 1;
        given = abi_give_exception(payload, &result.payload.exception);
    }
    if (given < 0) {
        result.tag = 1;
        pending_exception(&result.payload.exception);
    }
    Py_DecRef(value);
    return &result;
}

/* What a call made before initialize returns. */
static struct saved_result *
uninitialized_saved(void)
{
    static struct saved_result result = { .tag = 1 };
    pending_exception(&result.payload.exception);
    return &result;
}

SESSION_EXPORT("save")
struct saved_result *
session_save(void)
{
    return initialized ? call_for_saved(support.session_save, PyTuple_New(0))
                       : uninitialized_saved();
}

SESSION_EXPORT("load")
struct load_result *
session_load(const char *data, uint32_t length)
{
    static struct load_result result;
    struct saved_result *saved;
    if (initialized) {
        PyObject *arguments[] = { abi_take_bytes((struct text){ data, length }) };
        saved = call_for_saved(support.session_load, abi_pack(arguments, 1));
    } else {
        abi_free(data, length);
        saved = uninitialized_saved();
    }
    result = (struct load_result){ .tag = saved->tag };
    if (saved->tag == 0) {
        result.payload.lost = saved->payload.saved.lost;
    } else {
        result.payload.exception = saved->payload.exception;
    }
    return &result;
}

/* ---- flush, interrupt ---- */

/* The script may have been ended anywhere, also where it had let go of the
 * interpreter to wait for something. So no bytecode is run, whose frames would
 * build on those that are left, but only methods of the streams, which are C. */
EXPORT("flush")
void
flush(void)
{
    if (!initialized) {
        return;
    }
    free(reserve);
    reserve = NULL;
    int state = PyGILState_Ensure();
    Py_DecRef(PyErr_GetRaisedException());
    for (Py_ssize_t i = 0; i < PyTuple_Size(support.flushers); i++) {
        PyObject *pair = PyTuple_GetItem(support.flushers, i);
        Py_DecRef(PyObject_CallFunctionObjArgs(PyTuple_GetItem(pair, 0), PyTuple_GetItem(pair, 1), NULL));
        PyErr_Clear();
    }
    PyGILState_Release(state);
}

enum { SIGINT = 2 };

EXPORT("interrupt")
void
interrupt(void)
{
    if (initialized) {
        wait_interrupts++;
        PyErr_SetInterruptEx(SIGINT);
    }
}

/* ---- freeing results ---- */

#define POST(name)                                                                       \
    EXPORT_POST(#name) void post_##name(void *result) { (void)result; abi_release(); }

POST(initialize)
POST(preimport)
POST(setup)
POST(execute)

#define SESSION_POST(name)                                                               \
    __attribute__((export_name("cabi_post_" SESSION "#" #name))) void                    \
        post_session_##name(void *result) { (void)result; abi_release(); }

SESSION_POST(run)
SESSION_POST(clear)
SESSION_POST(finish)
SESSION_POST(save)
SESSION_POST(load)

EXPORT_POST("seal")
void
post_seal(void *result)
{
    (void)result;
    abi_release();
    heap_compact(); /* the last thing that happens before memory is an image */
}
