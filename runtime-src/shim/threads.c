/* Waiting for other threads, in place of libc's: there are none.
 *
 * libc traps where a thread would wait for ever, and claims that the time is up
 * where it would wait for a while. CPython's locks, events and queues are built
 * on these two functions; with them, as here, a script that waits for what
 * cannot happen waits, until its time is up or the host ends it. */

#include <stddef.h>
#include <stdint.h>

struct timespec {
    int64_t seconds;
    int32_t nanoseconds;
};

/* Clocks are addresses in this libc. */
extern const char _CLOCK_REALTIME;

int clock_gettime(const void *clock, struct timespec *time);
int nanosleep(const struct timespec *duration, struct timespec *rest);

enum { ETIMEDOUT = 73 };

__attribute__((visibility("default"))) int
pthread_cond_wait(void *condition, void *mutex)
{
    (void)condition;
    (void)mutex;
    const struct timespec hour = {3600, 0};
    for (;;) {
        nanosleep(&hour, NULL);
    }
}

__attribute__((visibility("default"))) int
pthread_cond_timedwait(void *condition, void *mutex, const struct timespec *deadline)
{
    (void)condition;
    (void)mutex;
    struct timespec now;
    clock_gettime(&_CLOCK_REALTIME, &now);
    struct timespec rest = {deadline->seconds - now.seconds, deadline->nanoseconds - now.nanoseconds};
    if (rest.nanoseconds < 0) {
        rest.seconds--;
        rest.nanoseconds += 1000000000;
    }
    if (rest.seconds >= 0) {
        nanosleep(&rest, NULL);
    }
    return ETIMEDOUT;
}
