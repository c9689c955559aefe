/* Waiting that an interrupt ends. */
#ifndef ERYX_WAIT_H
#define ERYX_WAIT_H

#include <stdbool.h>
#include <stdint.h>

/* How often the guest was interrupted. An interrupt ends the wait that is going
 * on or, if there is none, the next one. */
extern volatile uint32_t wait_interrupts;

/* Waits for so many nanoseconds, or until the guest is interrupted, and reports
 * whether it was the latter. */
bool wait_for(uint64_t nanoseconds);

#endif
