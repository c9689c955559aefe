/* poll and select, around libc's.
 *
 * The host ends a wait early when the guest is interrupted; to libc it looks as if
 * the time were up. Here it is EINTR, so that CPython calls the signal's handler
 * and waits on if that raises nothing (PEP 475). asyncio's loop asks beforehand
 * that its wait end: what the handler did may be for the loop to see.
 *
 * A descriptor that is not open is an event of poll's and not an error. */

#include <stddef.h>
#include <stdint.h>

#include "sockets.h"
#include "wait.h"

struct timeval {
    int64_t seconds;
    int64_t microseconds;
};
struct timespec {
    int64_t seconds;
    int32_t nanoseconds;
};

/* The set of libc's headers: a number of descriptors, and these. */
struct fd_set {
    size_t count;
    int descriptors[1024];
};

int __real_poll(struct pollfd *descriptors, unsigned long count, int timeout);
int pselect(int limit, struct fd_set *read, struct fd_set *write, struct fd_set *other, const struct timespec *timeout,
            const void *mask);
bool wait_ends;

/* Whether a wait in which nothing became ready was interrupted, and should say so. */
static bool
interrupted(int ready)
{
    static uint32_t told; /* how many interrupts have been told of */
    bool ends = wait_ends;
    wait_ends = false;
    if (ready != 0 || told == wait_interrupts) {
        return false;
    }
    told = wait_interrupts;
    return !ends;
}

static bool
is_closed(const struct pollfd *each)
{
    const int error = *__errno_location(); /* which looking changes */
    const bool closed = each->descriptor >= 0 && descriptor_table_get_ref(each->descriptor) == NULL;
    *__errno_location() = error;
    return closed;
}

/* What is ready now where some are not open. */
static int
poll_each(struct pollfd *descriptors, unsigned long count)
{
    int ready = 0;
    for (struct pollfd *each = descriptors; each < descriptors + count; each++) {
        int result = 1;
        if (is_closed(each)) {
            each->ready = POLLNVAL;
        } else if ((result = __real_poll(each, 1, 0)) < 0) {
            return result;
        }
        ready += result;
    }
    return ready;
}

EXPORTED int
poll(struct pollfd *descriptors, unsigned long count, int timeout)
{
    for (unsigned long i = 0; i < count; i++) {
        if (is_closed(&descriptors[i])) {
            return poll_each(descriptors, count);
        }
    }
    int ready = __real_poll(descriptors, count, timeout);
    return interrupted(ready) ? socket_fail(EINTR) : ready;
}

static void
copy(struct fd_set *to, const struct fd_set *from)
{
    to->count = from->count;
    for (size_t i = 0; i < from->count && i < sizeof to->descriptors / sizeof *to->descriptors; i++) {
        to->descriptors[i] = from->descriptors[i];
    }
}

static void
save(struct fd_set *to, const struct fd_set *from)
{
    if (from != NULL) {
        copy(to, from);
    }
}

static void
restore(struct fd_set *to, const struct fd_set *from)
{
    if (to != NULL) {
        copy(to, from);
    }
}

EXPORTED int
select(int limit, struct fd_set *read, struct fd_set *write, struct fd_set *other, struct timeval *timeout)
{
    struct timespec time, *given = NULL;
    if (timeout != NULL) {
        if (timeout->microseconds < 0 || timeout->microseconds >= 1000000) {
            return socket_fail(EINVAL);
        }
        /* libc's waits for whole milliseconds, rounded down. */
        int32_t milliseconds = ((int32_t)timeout->microseconds + 999) / 1000;
        time = (struct timespec){ timeout->seconds + milliseconds / 1000, milliseconds % 1000 * 1000000 };
        given = &time;
    }
    struct fd_set sets[3]; /* libc's empties those that it is given */
    save(&sets[0], read);
    save(&sets[1], write);
    save(&sets[2], other);
    int ready = pselect(limit, read, write, other, given, NULL);
    if (!interrupted(ready)) {
        return ready;
    }
    restore(read, &sets[0]);
    restore(write, &sets[1]);
    restore(other, &sets[2]);
    return socket_fail(EINTR);
}
