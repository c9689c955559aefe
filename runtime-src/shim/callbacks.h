#ifndef ERYX_CALLBACKS_H
#define ERYX_CALLBACKS_H

#include "python.h"

/* Gives eryx_support.hostcalls its functions, by install. Returns 0, or -1 with
 * an exception set. */
int callbacks_install(int (*install)(PyMethodDef *definition, const char *module_name));

#endif
