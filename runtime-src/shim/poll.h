/* Waiting for descriptors. */
#ifndef ERYX_POLL_H
#define ERYX_POLL_H

#include "python.h"

/* Makes the function here an attribute of a module, by install. */
int poll_install(int (*install)(PyMethodDef *definition, const char *module));

#endif
