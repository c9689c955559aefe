/* select, in place of libc's, by our poll: an interrupt ends it with EINTR, and
 * its sets are then as they were. Nothing is ever exceptional. */

#include "sockets.h"

enum { EBADF = 8, SETSIZE = 1024, MILLISECOND = 1000 };

struct timeval {
    int64_t seconds;
    int64_t microseconds;
};

/* The set of libc's headers. */
struct fd_set {
    size_t count;
    int descriptors[SETSIZE];
};

int poll(struct pollfd *all, uint32_t count, int timeout);

/* The milliseconds for poll, rounded up; -1 waits forever. */
static int
in_milliseconds(const struct timeval *timeout)
{
    if (timeout == NULL) {
        return -1;
    }
    if (timeout->seconds >= INT32_MAX / 1000 - 1) {
        return INT32_MAX;
    }
    return (int)(timeout->seconds * 1000 + (timeout->microseconds + MILLISECOND - 1) / MILLISECOND);
}

/* Adds a set to what is polled. */
static uint32_t
add(const struct fd_set *set, int limit, int16_t events, struct pollfd *all, uint32_t count)
{
    for (size_t i = 0; set != NULL && i < set->count; i++) {
        if (set->descriptors[i] < limit) {
            all[count++] = (struct pollfd){ set->descriptors[i], events, 0 };
        }
    }
    return count;
}

/* Keeps of a set what is ready. */
static int
keep(struct fd_set *set, const struct pollfd *all, uint32_t count)
{
    if (set == NULL) {
        return 0;
    }
    set->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (all[i].ready != 0) {
            set->descriptors[set->count++] = all[i].descriptor;
        }
    }
    return (int)set->count;
}

EXPORTED int
select(int limit, struct fd_set *read, struct fd_set *write, struct fd_set *other, struct timeval *timeout)
{
    if (limit < 0 || (timeout != NULL && (timeout->seconds < 0 || timeout->microseconds < 0 ||
                                          timeout->microseconds >= 1000 * MILLISECOND)) ||
        (read != NULL && read->count > SETSIZE) || (write != NULL && write->count > SETSIZE)) {
        return socket_fail(EINVAL);
    }
    struct pollfd all[2 * SETSIZE];
    const uint32_t reading = add(read, limit, POLLRDNORM, all, 0);
    const uint32_t count = add(write, limit, POLLWRNORM, all, reading);
    const int result = poll(all, count, in_milliseconds(timeout));
    if (result < 0) {
        return result;
    }
    for (uint32_t i = 0; i < count; i++) {
        if ((all[i].ready & POLLNVAL) != 0) {
            return socket_fail(EBADF);
        }
    }
    if (other != NULL) {
        other->count = 0;
    }
    return keep(read, all, reading) + keep(write, all + reading, count - reading);
}
