#ifndef ERYX_HOST_H
#define ERYX_HOST_H

#include "python.h"

/* Gives modules of eryx_support their functions, by install. Returns 0, or -1 with
 * an exception set. */
int host_install(int (*install)(PyMethodDef *definition, const char *module_name));

#endif
