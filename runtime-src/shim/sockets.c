/* TCP sockets: libc's, with some of its operations replaced.
 *
 * libc knows of a stream only that it failed, so that a connection that was reset
 * or timed out is EIO. It refuses MSG_PEEK, MSG_WAITALL and to say where a message
 * comes from. It waits on when the script is interrupted. A socket that has no
 * address yet has no name, and poll() fails for it. One that could not connect
 * cannot try again. */

#include "abi.h"
#include "sockets.h"

/* The states that libc knows. */
enum { UNBOUND, BOUND, CONNECTING, CONNECTED, CONNECT_FAILED };

struct tcp {
    int32_t handle;
    int32_t state;
    union {
        struct {
            int32_t input, input_pollable, output, output_pollable; /* pollables are made when they are needed */
        } connected;
        uint8_t error; /* of CONNECT_FAILED */
    };
    int32_t pollable;
    uint8_t blocking, nodelay, reuse;
    uint8_t family; /* 0 and 1 */
    uint64_t send_timeout, receive_timeout; /* nanoseconds; 0 is none */
};

_Static_assert(offsetof(struct tcp, connected) == 8, "layout of libc's socket");
_Static_assert(offsetof(struct tcp, pollable) == 24, "layout of libc's socket");
_Static_assert(offsetof(struct tcp, family) == 31, "layout of libc's socket");
_Static_assert(offsetof(struct tcp, receive_timeout) == 40, "layout of libc's socket");

enum { MSG_PEEK = 2, MSG_DONTWAIT = 0x40, MSG_WAITALL = 0x100, MSG_NOSIGNAL = 0x4000 };

/* Cases of error-code for which libc's function would end the guest. */
enum { NOT_IN_PROGRESS = 7, INVALID_STATE = 9, NAME_UNRESOLVABLE = 18, PERMANENT_FAILURE = 20 };

int __wasilibc_add_tcp_socket(int32_t handle, uint8_t family, bool blocking);
int __wasilibc_map_socket_error(const uint8_t *code);

/* result<own<tcp-socket>, error-code> */
struct created {
    uint8_t failed;
    union {
        int32_t handle;
        uint8_t error;
    };
};

/* stream-error */
struct stream_error {
    uint8_t closed; /* else it failed, for a reason */
    int32_t error;
};

struct read_result {
    uint8_t failed;
    union {
        struct text bytes;
        struct stream_error error;
    };
};

struct permit_result {
    uint8_t failed;
    union {
        uint64_t permit;
        struct stream_error error;
    };
};

struct write_result {
    uint8_t failed;
    struct stream_error error;
};

/* option<error-code> */
struct failure {
    uint8_t known, code;
};

_Static_assert(sizeof(struct read_result) == 12, "result of reading");
_Static_assert(sizeof(struct permit_result) == 16, "result of check-write");
_Static_assert(sizeof(struct write_result) == 12, "result of writing");

#define STREAMS(name) IMPORT("wasi:io/streams@0.2.0", name)

STREAMS("[method]input-stream.read") void input_read(int32_t stream, uint64_t size, struct read_result *result);
STREAMS("[method]input-stream.subscribe") int32_t input_subscribe(int32_t stream);
STREAMS("[method]output-stream.check-write") void output_permit(int32_t stream, struct permit_result *result);
STREAMS("[method]output-stream.write")
void output_write(int32_t stream, const void *bytes, uint32_t size, struct write_result *result);
STREAMS("[method]output-stream.subscribe") int32_t output_subscribe(int32_t stream);
IMPORT("wasi:io/error@0.2.0", "[resource-drop]error") void error_drop(int32_t error);
IMPORT("wasi:sockets/tcp-create-socket@0.2.0", "create-tcp-socket")
void create_tcp_socket(int32_t family, struct created *result);
IMPORT("wasi:sockets/tcp@0.2.0", "[method]tcp-socket.subscribe") int32_t tcp_subscribe(int32_t socket);
IMPORT("wasi:sockets/tcp@0.2.0", "[resource-drop]tcp-socket") void tcp_drop(int32_t socket);
IMPORT("eryx:sandbox/sockets@0.1.0", "peek") void input_peek(int32_t stream, uint64_t size, struct read_result *result);
IMPORT("eryx:sandbox/sockets@0.1.0", "failure") void error_failure(int32_t error, struct failure *result);

int
socket_fail(int error)
{
    *__errno_location() = error;
    return -1;
}

int
socket_error(uint8_t code)
{
    if (code == NOT_IN_PROGRESS || code == INVALID_STATE || (code >= NAME_UNRESOLVABLE && code <= PERMANENT_FAILURE)) {
        return EINVAL;
    }
    return __wasilibc_map_socket_error(&code);
}

void
socket_wait(int32_t pollable, uint64_t timeout)
{
    if (timeout == 0) {
        pollable_block(pollable);
        return;
    }
    const int32_t both[] = { pollable, clock_subscribe_duration(timeout) };
    struct list ready;
    pollables_poll(both, 2, &ready);
    abi_free(ready.items, ready.length);
    pollable_drop(both[1]);
}

/* Fails for the error of a stream. woken says that there was a wait for it, which
 * an interrupt can end with an error of no code. */
static int
fail_stream(const struct stream_error *error, bool woken)
{
    if (error->closed) {
        return socket_fail(EPIPE);
    }
    struct failure failure;
    error_failure(error->error, &failure);
    error_drop(error->error);
    return socket_fail(failure.known ? socket_error(failure.code) : woken ? EINTR : EIO);
}

/* Reads what there is, or waits for it. */
static ssize_t
receive_some(struct tcp *tcp, char *buffer, size_t size, bool peek, bool wait)
{
    bool woken = false;
    for (;;) {
        struct read_result result;
        abi_reserve(buffer, size);
        if (peek) {
            input_peek(tcp->connected.input, size, &result);
        } else {
            input_read(tcp->connected.input, size, &result);
        }
        abi_reserve(NULL, 0);
        if (result.failed) {
            return result.error.closed ? 0 : fail_stream(&result.error, woken);
        }
        if (result.bytes.length > 0) {
            return (ssize_t)result.bytes.length;
        }
        if (!wait) {
            return socket_fail(EAGAIN);
        }
        if (woken) { /* by an interrupt, or because the time is up */
            return socket_fail(tcp->receive_timeout == 0 ? EINTR : EAGAIN);
        }
        if (tcp->connected.input_pollable == 0) {
            tcp->connected.input_pollable = input_subscribe(tcp->connected.input);
        }
        socket_wait(tcp->connected.input_pollable, tcp->receive_timeout);
        woken = true;
    }
}

static int tcp_getpeername(void *of, void *address, uint32_t *size);

static ssize_t
tcp_recvfrom(void *of, void *buffer, size_t size, int flags, void *address, uint32_t *address_size)
{
    struct tcp *tcp = of;
    if ((flags & ~(MSG_PEEK | MSG_WAITALL | MSG_DONTWAIT)) != 0) {
        return socket_fail(EOPNOTSUPP);
    }
    if (tcp->state != CONNECTED) {
        return socket_fail(ENOTCONN);
    }
    if (address != NULL && address_size != NULL && tcp_getpeername(of, address, address_size) < 0) {
        return -1;
    }
    if (size == 0) {
        return 0;
    }
    const bool peek = (flags & MSG_PEEK) != 0, wait = tcp->blocking && (flags & MSG_DONTWAIT) == 0;
    ssize_t count = receive_some(tcp, buffer, size, peek, wait);
    while ((flags & MSG_WAITALL) != 0 && wait && !peek && count > 0 && (size_t)count < size) {
        ssize_t more = receive_some(tcp, (char *)buffer + count, size - count, false, true);
        if (more <= 0) {
            break; /* for the next call to tell */
        }
        count += more;
    }
    return count;
}

static ssize_t
tcp_sendto(void *of, const void *buffer, size_t size, int flags, const void *address, uint32_t address_size)
{
    struct tcp *tcp = of;
    if ((flags & ~(MSG_NOSIGNAL | MSG_DONTWAIT)) != 0) {
        return socket_fail(EOPNOTSUPP);
    }
    if (address != NULL || address_size != 0) {
        return socket_fail(EISCONN);
    }
    if (tcp->state != CONNECTED) {
        return socket_fail(tcp->state == CONNECT_FAILED ? EPIPE : ENOTCONN);
    }
    for (bool woken = false;; woken = true) {
        struct permit_result permitted;
        output_permit(tcp->connected.output, &permitted);
        if (permitted.failed) {
            return fail_stream(&permitted.error, woken);
        }
        if (size == 0) {
            return 0;
        }
        if (permitted.permit > 0) {
            struct write_result result;
            size_t count = permitted.permit < size ? (size_t)permitted.permit : size;
            output_write(tcp->connected.output, buffer, count, &result);
            return result.failed ? fail_stream(&result.error, woken) : (ssize_t)count;
        }
        if (!tcp->blocking || (flags & MSG_DONTWAIT) != 0) {
            return socket_fail(EAGAIN);
        }
        if (woken) {
            return socket_fail(tcp->send_timeout == 0 ? EINTR : EAGAIN);
        }
        if (tcp->connected.output_pollable == 0) {
            tcp->connected.output_pollable = output_subscribe(tcp->connected.output);
        }
        socket_wait(tcp->connected.output_pollable, tcp->send_timeout);
    }
}

/* libc's own, and what it is with those here. */
static struct operations libc_operations, tcp_operations;

/* Makes a socket that could not connect a new one, which can try again. */
static int
renew(struct tcp *tcp)
{
    struct created created;
    create_tcp_socket(tcp->family, &created);
    if (created.failed) {
        return socket_fail(socket_error(created.error));
    }
    if (tcp->pollable != 0) {
        pollable_drop(tcp->pollable);
    }
    tcp_drop(tcp->handle);
    tcp->handle = created.handle;
    tcp->pollable = 0;
    tcp->state = UNBOUND;
    return 0;
}

static int
tcp_connect(void *of, const void *address, uint32_t size)
{
    struct tcp *tcp = of;
    if (tcp->state == CONNECT_FAILED && renew(tcp) < 0) {
        return -1;
    }
    const bool blocking = tcp->blocking;
    tcp->blocking = false;
    int result = libc_operations.connect(of, address, size);
    tcp->blocking = blocking;
    if (result == 0 || !blocking || tcp->state != CONNECTING || *__errno_location() != EINPROGRESS) {
        return result;
    }
    if (tcp->pollable == 0) {
        tcp->pollable = tcp_subscribe(tcp->handle);
    }
    socket_wait(tcp->pollable, tcp->send_timeout);
    struct pollfd unused = { 0 };
    struct poll_state state = { .current = &unused };
    libc_operations.poll_finish(of, &state, POLLWRNORM);
    switch (tcp->state) {
    case CONNECTED:
        return 0;
    case CONNECT_FAILED:
        return socket_fail(socket_error(tcp->error));
    }
    return socket_fail(tcp->send_timeout == 0 ? EINTR : EINPROGRESS);
}

static int
tcp_getsockname(void *of, void *address, uint32_t *size)
{
    struct tcp *tcp = of;
    if (tcp->state != UNBOUND || address == NULL || size == NULL) {
        return libc_operations.getsockname(of, address, size);
    }
    uint16_t name[16] = { tcp->family == 0 ? AF_INET : AF_INET6 }; /* the rest is any */
    uint32_t length = tcp->family == 0 ? 16 : 32;
    memcpy(address, name, *size < length ? *size : length);
    *size = length;
    return 0;
}

static int
tcp_getpeername(void *of, void *address, uint32_t *size)
{
    return libc_operations.getpeername(of, address, size);
}

static int
tcp_poll_register(void *of, struct poll_state *state, int16_t events)
{
    struct tcp *tcp = of;
    if (tcp->state == UNBOUND || tcp->state == BOUND) {
        __wasilibc_poll_ready(state, events);
        return 0;
    }
    return libc_operations.poll_register(of, state, events);
}

EXPORTED int
socket(int domain, int type, int protocol)
{
    if (domain != AF_INET && domain != AF_INET6) {
        return socket_fail(EAFNOSUPPORT);
    }
    const int kind = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (kind == SOCK_DGRAM && (protocol == 0 || protocol == IPPROTO_UDP)) {
        return socket_fail(EACCES);
    }
    if (kind != SOCK_STREAM || (protocol != 0 && protocol != IPPROTO_TCP)) {
        return socket_fail(EPROTONOSUPPORT);
    }
    const uint8_t family = domain == AF_INET6;
    struct created created;
    create_tcp_socket(family, &created);
    if (created.failed) {
        return socket_fail(socket_error(created.error));
    }
    int descriptor = __wasilibc_add_tcp_socket(created.handle, family, (type & SOCK_NONBLOCK) == 0);
    if (descriptor < 0) {
        return -1;
    }
    struct reference *reference = descriptor_table_get_ref(descriptor);
    if (libc_operations.connect == NULL) {
        libc_operations = tcp_operations = *reference->operations;
        tcp_operations.connect = tcp_connect;
        tcp_operations.getsockname = tcp_getsockname;
        tcp_operations.recvfrom = tcp_recvfrom;
        tcp_operations.sendto = tcp_sendto;
        tcp_operations.poll_register = tcp_poll_register;
    }
    reference->operations = &tcp_operations;
    return descriptor;
}
