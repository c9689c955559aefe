/* poll, in place of libc's: an interrupt ends it with EINTR, as a signal would,
 * and a descriptor that is not open is POLLNVAL and not an error of the call. */

#include "poll.h"

#include "abi.h"
#include "sockets.h"

/* What libc tells of a stream. */
struct stream {
    void *others[4];
    int32_t handle;
    int32_t *pollable; /* made when it is needed */
};

_Static_assert(offsetof(struct stream, pollable) == 20, "layout of libc's streams");

IMPORT("wasi:io/streams@0.2.0", "[method]input-stream.subscribe") int32_t input_subscribe(int32_t stream);
IMPORT("wasi:io/streams@0.2.0", "[method]output-stream.subscribe") int32_t output_subscribe(int32_t stream);

static bool brief;

/* eryx_support.host.poll_briefly: lets an interrupt end the next poll as if its
 * time were up, not as an error: CPython goes on to wait after that. */
static PyObject *
poll_briefly(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    (void)self, (void)arguments, (void)count;
    brief = true;
    return Py_GetConstant(Py_CONSTANT_NONE);
}

static PyMethodDef poll_briefly_definition = {
    "poll_briefly", (PyCFunction)(void (*)(void))poll_briefly, METH_FASTCALL, NULL,
};

int
poll_install(int (*install)(PyMethodDef *definition, const char *module))
{
    return install(&poll_briefly_definition, "eryx_support.host");
}

typedef int (*get_stream)(void *of, struct stream *stream);

/* Adds one of the streams behind a descriptor. */
static int
add_stream(struct reference *reference, get_stream get, struct poll_state *state, int16_t event)
{
    struct stream stream;
    if (get == NULL) {
        return socket_fail(EOPNOTSUPP);
    }
    if (get(reference->of, &stream) < 0) {
        return -1;
    }
    if (*stream.pollable == 0) {
        *stream.pollable = event == POLLRDNORM ? input_subscribe(stream.handle) : output_subscribe(stream.handle);
    }
    return __wasilibc_poll_add(state, event, *stream.pollable);
}

/* Adds what a descriptor waits for. */
static int
add(struct pollfd *each, struct poll_state *state)
{
    state->current = each;
    each->ready = 0;
    if (each->descriptor < 0) {
        return 0;
    }
    const int error = *__errno_location();
    struct reference *reference = descriptor_table_get_ref(each->descriptor);
    if (reference == NULL) {
        *__errno_location() = error;
        __wasilibc_poll_ready(state, POLLNVAL);
        return 0;
    }
    const struct operations *operations = reference->operations;
    if (operations->poll_register != NULL) {
        return operations->poll_register(reference->of, state, each->wanted);
    }
    if (operations->seek != NULL) { /* files are always ready */
        __wasilibc_poll_ready(state, each->wanted & (POLLRDNORM | POLLWRNORM));
        return 0;
    }
    if ((each->wanted & POLLRDNORM) != 0 &&
        add_stream(reference, (get_stream)operations->get_read_stream, state, POLLRDNORM) < 0) {
        return -1;
    }
    if ((each->wanted & POLLWRNORM) != 0 &&
        add_stream(reference, (get_stream)operations->get_write_stream, state, POLLWRNORM) < 0) {
        return -1;
    }
    return 0;
}

/* Notes that one of the pollables is ready. */
static void
finish(struct poll_state *state, const struct waiting *waiting)
{
    state->current = waiting->of;
    struct reference *reference = descriptor_table_get_ref(waiting->of->descriptor);
    if (reference != NULL && reference->operations->poll_finish != NULL) {
        reference->operations->poll_finish(reference->of, state, waiting->events);
    } else {
        __wasilibc_poll_ready(state, waiting->events);
    }
}

static int
poll_with(struct poll_state *state, struct pollfd *all, uint32_t count, int timeout)
{
    const bool may_end = brief;
    brief = false;
    for (uint32_t i = 0; i < count; i++) {
        if (add(&all[i], state) < 0) {
            return -1;
        }
    }
    if (state->ready > 0) {
        timeout = 0;
    }
    uint32_t waiting = state->count;
    int32_t timer = 0;
    if (timeout >= 0) {
        timer = clock_subscribe_duration((uint64_t)timeout * 1000000);
        state->pollables[waiting++] = timer;
    }
    struct list ready;
    pollables_poll(state->pollables, waiting, &ready);
    for (uint32_t i = 0; i < ready.length; i++) {
        uint32_t index = ((const uint32_t *)ready.items)[i];
        if (index < state->count) {
            finish(state, &state->waiting[index]);
        }
    }
    const bool interrupted = ready.length == 0;
    abi_free(ready.items, ready.length);
    if (timeout >= 0) {
        pollable_drop(timer);
    }
    return interrupted && !may_end ? socket_fail(EINTR) : state->ready;
}

enum { FEW = 16, MANY = 1 << 20 };

EXPORTED int
poll(struct pollfd *all, uint32_t count, int timeout)
{
    if (count > MANY) {
        return socket_fail(EINVAL);
    }
    struct waiting few_waiting[2 * FEW];
    int32_t few_pollables[2 * FEW + 1];
    struct poll_state state = { .waiting = few_waiting, .pollables = few_pollables, .capacity = 2 * FEW };
    void *memory = NULL;
    if (count > FEW) {
        state.capacity = 2 * count;
        memory = malloc(state.capacity * (sizeof *state.waiting + sizeof *state.pollables) + sizeof *state.pollables);
        if (memory == NULL) {
            return socket_fail(ENOMEM);
        }
        state.waiting = memory;
        state.pollables = (int32_t *)(state.waiting + state.capacity);
    }
    int result = poll_with(&state, all, count, timeout);
    free(memory);
    return result;
}
