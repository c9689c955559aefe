/* Names of hosts. */
#ifndef ERYX_RESOLVE_H
#define ERYX_RESOLVE_H

#include "python.h"

/* Makes the functions here attributes of modules, by install. */
int resolve_install(int (*install)(PyMethodDef *definition, const char *module));

#endif
