/* Waiting for other threads, in place of libc's: there are none.
 *
 * libc traps where a thread would wait for ever, and claims that the time is up
 * where it would wait for a while. CPython's locks, events and queues are built
 * on these two functions; with them, as here, a script that waits for what
 * cannot happen waits, until its time is up, it is interrupted or the host ends
 * it. */

#include <stddef.h>

#include "wait.h"

struct timespec {
    int64_t seconds;
    int32_t nanoseconds;
};

/* Clocks are addresses in this libc. */
extern const char _CLOCK_REALTIME;

int clock_gettime(const void *clock, struct timespec *time);

enum { ETIMEDOUT = 73 };

enum { SECOND = 1000000000 };

__attribute__((visibility("default"))) int
pthread_cond_wait(void *condition, void *mutex)
{
    (void)condition;
    (void)mutex;
    while (!wait_for(3600 * (uint64_t)SECOND)) {
    }
    return 0; /* woken for no reason: CPython then looks for signals */
}

__attribute__((visibility("default"))) int
pthread_cond_timedwait(void *condition, void *mutex, const struct timespec *deadline)
{
    (void)condition;
    (void)mutex;
    struct timespec now;
    clock_gettime(&_CLOCK_REALTIME, &now);
    int64_t seconds = deadline->seconds - now.seconds;
    int64_t rest = (int64_t)deadline->nanoseconds - now.nanoseconds;
    if (seconds > INT64_MAX / SECOND - 1) {
        seconds = INT64_MAX / SECOND - 1; /* some centuries */
    }
    if (seconds >= 0 && (rest += seconds * SECOND) > 0 && wait_for((uint64_t)rest)) {
        return 0;
    }
    return ETIMEDOUT;
}
