/* Sleeping, in place of libc's: an interrupt ends it, as a signal would.
 *
 * The host ends a wait early when the guest is interrupted, and has called the
 * export `interrupt` by then; when that was before the wait, the host cannot know
 * whether Python has noticed. To libc it looks as if the time were up. CPython
 * asks for EINTR, calls the signal's handler, if it has not yet, and sleeps on
 * if that raises nothing (PEP 475). */

#include "wait.h"

#include <stddef.h>

#define CLOCK(name) __attribute__((import_module("wasi:clocks/monotonic-clock@0.2.0"), import_name(name)))
#define POLL(name) __attribute__((import_module("wasi:io/poll@0.2.0"), import_name(name)))

CLOCK("now") extern uint64_t clock_now(void);
CLOCK("subscribe-instant") extern int32_t clock_subscribe_instant(uint64_t when);
CLOCK("subscribe-duration") extern int32_t clock_subscribe_duration(uint64_t when);
POLL("[method]pollable.block") extern void pollable_block(int32_t pollable);
POLL("[resource-drop]pollable") extern void pollable_drop(int32_t pollable);

volatile uint32_t wait_interrupts;

/* Waits until end, and reports whether an interrupt has come before it. */
static bool
block(int32_t pollable, uint64_t end)
{
    pollable_block(pollable);
    pollable_drop(pollable);
    return wait_interrupts != 0 && clock_now() < end;
}

bool
wait_for(uint64_t nanoseconds)
{
    uint64_t end;
    if (__builtin_add_overflow(clock_now(), nanoseconds, &end)) {
        end = UINT64_MAX;
    }
    return block(clock_subscribe_duration(nanoseconds), end);
}

struct timespec {
    int64_t seconds;
    int32_t nanoseconds;
};

/* Clocks are addresses in this libc. */
extern const char _CLOCK_MONOTONIC, _CLOCK_REALTIME;

/* The numbers of libc's headers. */
enum { TIMER_ABSTIME = 1 };
enum { EINTR = 27, EINVAL = 28, ENOTSUP = 58 };
enum { SECOND = 1000000000 };

int *__errno_location(void);

/* A time in nanoseconds, at most that of an unsigned 64-bit number. */
static uint64_t
in_nanoseconds(const struct timespec *time)
{
    if ((uint64_t)time->seconds >= UINT64_MAX / SECOND) {
        return UINT64_MAX;
    }
    return (uint64_t)time->seconds * SECOND + (uint64_t)time->nanoseconds;
}

__attribute__((visibility("default"))) int
clock_nanosleep(const void *clock, int flags, const struct timespec *request, struct timespec *rest)
{
    if (request->seconds < 0 || request->nanoseconds < 0 || request->nanoseconds >= SECOND) {
        return EINVAL;
    }
    uint64_t time = in_nanoseconds(request);
    if (clock == &_CLOCK_MONOTONIC && flags == TIMER_ABSTIME) {
        return block(clock_subscribe_instant(time), time) ? EINTR : 0;
    }
    if ((clock != &_CLOCK_MONOTONIC && clock != &_CLOCK_REALTIME) || flags != 0) {
        return ENOTSUP;
    }
    uint64_t began = clock_now();
    if (!wait_for(time)) {
        return 0;
    }
    if (rest != NULL) {
        uint64_t passed = clock_now() - began;
        uint64_t left = passed < time ? time - passed : 0;
        *rest = (struct timespec){ (int64_t)(left / SECOND), (int32_t)(left % SECOND) };
    }
    return EINTR;
}

__attribute__((visibility("default"))) int
nanosleep(const struct timespec *request, struct timespec *rest)
{
    int error = clock_nanosleep(&_CLOCK_REALTIME, 0, request, rest);
    if (error == 0) {
        return 0;
    }
    *__errno_location() = error;
    return -1;
}
