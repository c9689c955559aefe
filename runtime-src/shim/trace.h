/* Tracing: the callbacks of sys.monitoring, which tell the host what the
 * user's code does. */
#ifndef ERYX_TRACE_H
#define ERYX_TRACE_H

#include "python.h"

/* Functions that become attributes of eryx_support.tracing, up to one without
 * a name. */
extern PyMethodDef trace_definitions[];

#endif
