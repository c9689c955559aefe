#ifndef ERYX_TLS_H
#define ERYX_TLS_H

#include "python.h"

/* Gives eryx_support.hosttls its functions, by install. Returns 0, or -1 with an
 * exception set. */
int tls_install(int (*install)(PyMethodDef *definition, const char *module_name));

#endif
