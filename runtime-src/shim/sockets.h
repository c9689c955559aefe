/* What libc has behind the descriptor of a socket. The layouts are those of the
 * base's libc, which is always the same one, by its digest. */
#ifndef ERYX_SOCKETS_H
#define ERYX_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int32_t ssize_t;

/* The numbers of libc's headers. */
enum {
    EACCES = 2, EADDRINUSE = 3, EAFNOSUPPORT = 5, EAGAIN = 6, EINPROGRESS = 26, EINTR = 27, EINVAL = 28, EIO = 29,
    EISCONN = 30, ENOMEM = 48, ENOTCONN = 53, EOPNOTSUPP = 58, EPIPE = 64, EPROTONOSUPPORT = 66,
};
enum { AF_UNSPEC, AF_INET, AF_INET6 };
enum { SOCK_DGRAM = 5, SOCK_STREAM = 6, SOCK_CLOEXEC = 0x2000, SOCK_NONBLOCK = 0x4000 };
enum { IPPROTO_TCP = 6, IPPROTO_UDP = 17 };
enum { POLLRDNORM = 1, POLLWRNORM = 2, POLLNVAL = 0x4000 };

struct pollfd {
    int descriptor;
    int16_t wanted, ready;
};

/* A pollable that poll() waits for, and whose it is. */
struct waiting {
    struct pollfd *of;
    int16_t events;
};

struct poll_state {
    struct waiting *waiting;
    int32_t *pollables; /* as many */
    uint32_t count, capacity;
    int32_t ready; /* descriptors with events */
    struct pollfd *current;
};

struct operations {
    void (*free)(void *of);
    void *get_read_stream, *get_write_stream;
    int (*set_blocking)(void *of, bool blocking);
    int (*stat)(void *of, void *stat);
    void *get_handle;
    void *seek; /* only files have it */
    void *others[6];
    int (*connect)(void *of, const void *address, uint32_t size);
    int (*getsockname)(void *of, void *address, uint32_t *size);
    int (*getpeername)(void *of, void *address, uint32_t *size);
    int (*listen)(void *of, int backlog);
    ssize_t (*recvfrom)(void *of, void *buffer, size_t size, int flags, void *address, uint32_t *address_size);
    ssize_t (*sendto)(void *of, const void *buffer, size_t size, int flags, const void *address, uint32_t address_size);
    void *more_others[3];
    int (*poll_register)(void *of, struct poll_state *state, int16_t events);
    int (*poll_finish)(void *of, struct poll_state *state, int16_t events);
};

struct reference {
    void *of;
    const struct operations *operations;
};

_Static_assert(offsetof(struct operations, seek) == 24, "layout of libc's operations");
_Static_assert(offsetof(struct operations, connect) == 52, "layout of libc's operations");
_Static_assert(offsetof(struct operations, recvfrom) == 68, "layout of libc's operations");
_Static_assert(offsetof(struct operations, poll_finish) == 92, "layout of libc's operations");

struct reference *descriptor_table_get_ref(int descriptor);
int descriptor_table_insert(const struct reference *entry);
int __wasilibc_poll_add(struct poll_state *state, int16_t events, int32_t pollable);
void __wasilibc_poll_ready(struct poll_state *state, int16_t events);
int32_t __wasi_sockets_utils__borrow_network(void);

/* Sets errno, and is -1. */
int socket_fail(int error);
/* The errno of one of wasi:sockets' error codes. */
int socket_error(uint8_t code);
/* Waits for a pollable, at most so many nanoseconds; 0 is forever. */
void socket_wait(int32_t pollable, uint64_t timeout);

void *malloc(size_t size);
void free(void *pointer);
void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
size_t strlen(const char *text);
int strcmp(const char *one, const char *other);
int *__errno_location(void);

#define EXPORTED __attribute__((visibility("default")))
#define IMPORT(module, name) __attribute__((import_module(module), import_name(name))) extern

IMPORT("wasi:io/poll@0.2.0", "[method]pollable.block") void pollable_block(int32_t pollable);
IMPORT("wasi:io/poll@0.2.0", "[resource-drop]pollable") void pollable_drop(int32_t pollable);
IMPORT("wasi:io/poll@0.2.0", "poll") void pollables_poll(const int32_t *pollables, uint32_t count, void *ready);
IMPORT("wasi:clocks/monotonic-clock@0.2.0", "subscribe-duration") int32_t clock_subscribe_duration(uint64_t duration);

#endif
