/* Waiting for descriptors. */
#ifndef ERYX_POLL_H
#define ERYX_POLL_H

/* Lets an interrupt end the next poll as if its time were up, not as an error:
 * CPython goes on to wait after that. */
void poll_briefly(void);

#endif
