/* Waiting that an interrupt ends. */
#ifndef ERYX_WAIT_H
#define ERYX_WAIT_H

#include <stdbool.h>
#include <stdint.h>

/* Set by the export `interrupt`, and cleared by whoever begins to wait. */
extern volatile bool wait_interrupted;

/* Waits for so many nanoseconds, or until the guest is interrupted, and reports
 * whether it was the latter. */
bool wait_for(uint64_t nanoseconds);

#endif
