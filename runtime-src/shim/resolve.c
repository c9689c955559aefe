/* getaddrinfo and getnameinfo, in place of libc's.
 *
 * libc's gives success and no addresses where a name has none of the family that
 * is wanted, which CPython then reads; it knows no flags, takes "localhost" for
 * any address, and waits on when the script is interrupted. getnameinfo is not
 * there.
 *
 * A lookup can also be a descriptor, so that an event loop waits for it: begin
 * gives one, and when it is readable, adopt has the next getaddrinfo of the name
 * take what was found. */

#include "resolve.h"

#include "abi.h"
#include "sockets.h"

struct addrinfo {
    int flags, family, type, protocol;
    uint32_t size;
    void *address;
    char *canonical;
    struct addrinfo *next;
};

enum { AI_PASSIVE = 1, AI_CANONNAME = 2, AI_NUMERICHOST = 4, AI_NUMERICSERV = 0x400 };
enum { NI_NAMEREQD = 8, NI_NUMERICSERV = 2, NI_DGRAM = 0x10 };
enum {
    EAI_NONAME = -2, EAI_AGAIN = -3, EAI_FAIL = -4, EAI_FAMILY = -6, EAI_SOCKTYPE = -7, EAI_SERVICE = -8,
    EAI_MEMORY = -10, EAI_SYSTEM = -11, EAI_OVERFLOW = -12,
};

struct service {
    char *name;
    char **aliases;
    int port; /* in network order */
    char *protocol;
};

struct service *getservbyname(const char *name, const char *protocol);
struct service *getservbyport(int port, const char *protocol);
int inet_pton(int family, const char *text, void *address);
const char *inet_ntop(int family, const void *address, char *text, uint32_t size);
void freeaddrinfo(struct addrinfo *list);

/* The cases of error-code that are about names. */
enum { WOULD_BLOCK = 8, NAME_UNRESOLVABLE = 18, TEMPORARY_FAILURE, PERMANENT_FAILURE };

/* result<own<resolve-address-stream>, error-code> */
struct begun {
    uint8_t failed;
    union {
        int32_t stream;
        uint8_t error;
    };
};

/* result<option<ip-address>, error-code>, and an address within it */
struct found {
    uint8_t failed;
    union {
        uint8_t error;
        struct {
            uint8_t some;
            _Alignas(2) uint8_t ipv6;
            uint16_t parts[8]; /* or 4 bytes */
        };
    };
};

_Static_assert(offsetof(struct found, some) == 2 && offsetof(struct found, ipv6) == 4, "result of a lookup");
_Static_assert(offsetof(struct found, parts) == 6 && sizeof(struct found) == 22, "result of a lookup");

#define LOOKUP(name) IMPORT("wasi:sockets/ip-name-lookup@0.2.0", name)

LOOKUP("resolve-addresses")
void resolve_addresses(int32_t network, const char *name, uint32_t length, struct begun *result);
LOOKUP("[method]resolve-address-stream.resolve-next-address")
void resolve_next_address(int32_t stream, struct found *result);
LOOKUP("[method]resolve-address-stream.subscribe") int32_t lookup_subscribe(int32_t stream);
LOOKUP("[resource-drop]resolve-address-stream") void lookup_drop(int32_t stream);

/* Sets errno where the code is EAI_SYSTEM. */
static int
lookup_error(uint8_t code)
{
    switch (code) {
    case NAME_UNRESOLVABLE:
        return EAI_NONAME;
    case TEMPORARY_FAILURE:
        return EAI_AGAIN;
    case PERMANENT_FAILURE:
        return EAI_FAIL;
    }
    socket_fail(socket_error(code));
    return EAI_SYSTEM;
}

/* A lookup that is a descriptor. */
struct lookup {
    int32_t stream, pollable; /* 0 where they are not, or not any more */
    char name[];
};

static struct {
    int32_t stream; /* 0 for none */
    char *name;
} adopted;

static void
forget_adopted(void)
{
    if (adopted.stream != 0) {
        lookup_drop(adopted.stream);
        free(adopted.name);
        adopted.stream = 0;
    }
}

/* Begins to look up a name. */
static int
begin_lookup(const char *name, int32_t *stream)
{
    if (adopted.stream != 0 && strcmp(adopted.name, name) == 0) {
        *stream = adopted.stream;
        adopted.stream = 0;
        free(adopted.name);
        return 0;
    }
    forget_adopted();
    struct begun begun;
    resolve_addresses(__wasi_sockets_utils__borrow_network(), name, strlen(name), &begun);
    *stream = begun.stream;
    return begun.failed ? lookup_error(begun.error) : 0;
}

/* Waits for the next address. */
static int
next_address(int32_t stream, struct found *found)
{
    resolve_next_address(stream, found);
    if (found->failed && found->error == WOULD_BLOCK) {
        int32_t pollable = lookup_subscribe(stream);
        pollable_block(pollable);
        pollable_drop(pollable);
        resolve_next_address(stream, found);
        if (found->failed && found->error == WOULD_BLOCK) {
            socket_fail(EINTR);
            return EAI_SYSTEM;
        }
    }
    return found->failed ? lookup_error(found->error) : 0;
}

/* What all entries of a list have in common. */
struct request {
    int family, type, protocol;
    uint16_t port; /* in network order */
    const char *canonical; /* or NULL */
    struct addrinfo *first, *last;
};

/* Appends an address, 4 or 16 bytes in network order. */
static int
append(struct request *request, int family, const void *address)
{
    if (request->family != AF_UNSPEC && request->family != family) {
        return 0;
    }
    const uint32_t size = family == AF_INET ? 16 : 32;
    const char *canonical = request->first == NULL ? request->canonical : NULL;
    size_t length = canonical == NULL ? 0 : strlen(canonical) + 1;
    struct addrinfo *info = malloc(sizeof *info);
    char *memory = info == NULL ? NULL : malloc(size + length); /* libc frees an address and its entry */
    if (memory == NULL) {
        free(info);
        return EAI_MEMORY;
    }
    memset(memory, 0, size);
    ((uint16_t *)memory)[0] = (uint16_t)family;
    ((uint16_t *)memory)[1] = request->port;
    memcpy(memory + (family == AF_INET ? 4 : 8), address, family == AF_INET ? 4 : 16);
    memcpy(memory + size, canonical, length);
    *info = (struct addrinfo){
        .family = family, .type = request->type, .protocol = request->protocol, .size = size, .address = memory,
        .canonical = length == 0 ? NULL : memory + size,
    };
    if (request->last == NULL) {
        request->first = info;
    } else {
        request->last->next = info;
    }
    request->last = info;
    return 0;
}

static uint16_t
network_order(uint16_t host)
{
    return (uint16_t)(host >> 8 | host << 8);
}

static int
append_found(struct request *request, const struct found *found)
{
    if (!found->ipv6) {
        return append(request, AF_INET, found->parts);
    }
    uint16_t parts[8];
    for (int i = 0; i < 8; i++) {
        parts[i] = network_order(found->parts[i]);
    }
    return append(request, AF_INET6, parts);
}

/* Finds the port of a service. */
static int
find_port(struct request *request, const char *service, int flags)
{
    if (service == NULL || service[0] == '\0') {
        return 0;
    }
    uint32_t port = 0;
    const char *digit = service;
    for (; *digit >= '0' && *digit <= '9' && port <= UINT16_MAX; digit++) {
        port = port * 10 + (uint32_t)(*digit - '0');
    }
    if (*digit == '\0' && port <= UINT16_MAX) {
        request->port = network_order((uint16_t)port);
        return 0;
    }
    if ((flags & AI_NUMERICSERV) != 0) {
        return EAI_NONAME;
    }
    struct service *known = getservbyname(service, request->type == SOCK_DGRAM ? "udp" : "tcp");
    if (known == NULL) {
        return EAI_SERVICE;
    }
    request->port = (uint16_t)known->port;
    return 0;
}

/* This machine, or any address. */
static int
append_local(struct request *request, bool any)
{
    static const uint8_t any_address[16], loopback4[] = { 127, 0, 0, 1 }, loopback6[16] = { [15] = 1 };
    int error = append(request, AF_INET, any ? any_address : loopback4);
    return error != 0 ? error : append(request, AF_INET6, any ? any_address : loopback6);
}

static int
append_lookup(struct request *request, const char *host)
{
    int32_t stream;
    int error = begin_lookup(host, &stream);
    if (error != 0) {
        return error;
    }
    struct found found;
    while ((error = next_address(stream, &found)) == 0 && found.some && (error = append_found(request, &found)) == 0) {
    }
    lookup_drop(stream);
    return error;
}

EXPORTED int
getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
    static const struct addrinfo no_hints;
    if (hints == NULL) {
        hints = &no_hints;
    }
    *result = NULL;
    if (host == NULL && service == NULL) {
        return EAI_NONAME;
    }
    if (hints->family != AF_UNSPEC && hints->family != AF_INET && hints->family != AF_INET6) {
        return EAI_FAMILY;
    }
    struct request request = { .family = hints->family, .type = hints->type, .protocol = hints->protocol };
    if (request.type == 0) {
        request.type = request.protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM;
    }
    if (request.type != SOCK_STREAM && request.type != SOCK_DGRAM) {
        return EAI_SOCKTYPE;
    }
    if (request.protocol == 0) {
        request.protocol = request.type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
    }
    if ((hints->flags & AI_CANONNAME) != 0) {
        request.canonical = host;
    }
    int error = find_port(&request, service, hints->flags);
    uint8_t address[16];
    if (error != 0) {
        return error;
    }
    if (host == NULL) {
        error = append_local(&request, (hints->flags & AI_PASSIVE) != 0);
    } else if ((hints->flags & AI_NUMERICHOST) != 0) {
        if (inet_pton(AF_INET, host, address) == 1) {
            error = append(&request, AF_INET, address);
        } else if (inet_pton(AF_INET6, host, address) == 1) {
            error = append(&request, AF_INET6, address);
        }
    } else {
        error = append_lookup(&request, host);
    }
    if (error == 0 && request.first == NULL) {
        error = EAI_NONAME;
    }
    if (error != 0) {
        const int number = *__errno_location();
        freeaddrinfo(request.first);
        *__errno_location() = number;
        return error;
    }
    *result = request.first;
    return 0;
}

/* Copies a text, if there is room. */
static int
give_text(const char *text, char *to, uint32_t size)
{
    size_t length = strlen(text) + 1;
    if (length > size) {
        return EAI_OVERFLOW;
    }
    memcpy(to, text, length);
    return 0;
}

EXPORTED int
getnameinfo(const void *address, uint32_t address_size, char *host, uint32_t host_size, char *service,
            uint32_t service_size, int flags)
{
    const uint16_t *parts = address;
    const int family = address_size >= 16 ? parts[0] : AF_UNSPEC;
    if (family != AF_INET && (family != AF_INET6 || address_size < 28)) {
        return EAI_FAMILY;
    }
    if (host != NULL && host_size > 0) {
        if ((flags & NI_NAMEREQD) != 0) {
            return EAI_NONAME; /* the host resolves no addresses */
        }
        if (inet_ntop(family, (const char *)address + (family == AF_INET ? 4 : 8), host, host_size) == NULL) {
            return EAI_OVERFLOW;
        }
    }
    if (service == NULL || service_size == 0) {
        return 0;
    }
    if ((flags & NI_NUMERICSERV) == 0) {
        struct service *known = getservbyport(parts[1], (flags & NI_DGRAM) != 0 ? "udp" : "tcp");
        if (known != NULL) {
            return give_text(known->name, service, service_size);
        }
    }
    char digits[6];
    char *digit = digits + sizeof digits - 1;
    *digit = '\0';
    uint16_t port = network_order(parts[1]);
    do {
        *--digit = (char)('0' + port % 10);
        port /= 10;
    } while (port > 0);
    return give_text(digit, service, service_size);
}

static void
free_lookup(void *of)
{
    struct lookup *lookup = of;
    if (lookup->pollable != 0) {
        pollable_drop(lookup->pollable);
    }
    if (lookup->stream != 0) {
        lookup_drop(lookup->stream);
    }
    free(lookup);
}

static int
accept_blocking(void *of, bool blocking)
{
    (void)of, (void)blocking;
    return 0;
}

static int
stat_lookup(void *of, void *stat)
{
    (void)of;
    memset(stat, 0, 32); /* as far as fstat looks at it */
    return 0;
}

static int
poll_lookup(void *of, struct poll_state *state, int16_t events)
{
    struct lookup *lookup = of;
    if (lookup->stream == 0) {
        __wasilibc_poll_ready(state, events);
        return 0;
    }
    if (lookup->pollable == 0) {
        lookup->pollable = lookup_subscribe(lookup->stream);
    }
    return __wasilibc_poll_add(state, events, lookup->pollable);
}

static int
finish_lookup(void *of, struct poll_state *state, int16_t events)
{
    (void)of;
    __wasilibc_poll_ready(state, events);
    return 0;
}

static const struct operations lookup_operations = {
    .free = free_lookup,
    .set_blocking = accept_blocking,
    .stat = stat_lookup,
    .poll_register = poll_lookup,
    .poll_finish = finish_lookup,
};

/* begin_lookup(name: bytes) -> int, a descriptor; or 0 where it has to be looked
 * up without one. */
static PyObject *
begin(PyObject *self, PyObject *name)
{
    (void)self;
    const char *text = PyBytes_AsString(name);
    if (text == NULL) {
        return NULL;
    }
    struct begun begun;
    resolve_addresses(__wasi_sockets_utils__borrow_network(), text, strlen(text), &begun);
    if (begun.failed) {
        return PyLong_FromLong(0);
    }
    struct lookup *lookup = malloc(sizeof *lookup + strlen(text) + 1);
    if (lookup == NULL) {
        lookup_drop(begun.stream);
        return PyErr_NoMemory();
    }
    *lookup = (struct lookup){ .stream = begun.stream };
    memcpy(lookup->name, text, strlen(text) + 1);
    const struct reference entry = { lookup, &lookup_operations };
    int descriptor = descriptor_table_insert(&entry);
    if (descriptor < 0) {
        free_lookup(lookup);
        return PyLong_FromLong(0);
    }
    return PyLong_FromLong(descriptor);
}

/* adopt_lookup(descriptor) */
static PyObject *
adopt(PyObject *self, PyObject *argument)
{
    (void)self;
    int32_t descriptor;
    if (abi_give_int(argument, &descriptor) < 0) {
        return NULL;
    }
    struct reference *reference = descriptor_table_get_ref(descriptor);
    if (reference != NULL && reference->operations == &lookup_operations) {
        struct lookup *lookup = reference->of;
        const size_t size = strlen(lookup->name) + 1;
        char *name = malloc(size);
        if (name == NULL) {
            return PyErr_NoMemory();
        }
        forget_adopted();
        if (lookup->pollable != 0) {
            pollable_drop(lookup->pollable);
            lookup->pollable = 0;
        }
        memcpy(name, lookup->name, size);
        adopted.name = name;
        adopted.stream = lookup->stream;
        lookup->stream = 0;
        if (adopted.stream == 0) {
            free(name);
        }
    }
    return Py_GetConstant(Py_CONSTANT_NONE);
}

static PyMethodDef begin_definition = { "begin_lookup", begin, METH_O, NULL };
static PyMethodDef adopt_definition = { "adopt_lookup", adopt, METH_O, NULL };

int
resolve_install(int (*install)(PyMethodDef *definition, const char *module))
{
    if (install(&begin_definition, "eryx_support.host") < 0) {
        return -1;
    }
    return install(&adopt_definition, "eryx_support.host");
}
