/* Why a file could not be written, as a failure of kind `io`.  Any thread. */
#ifndef GPTIMAGE2_ENGINE_FILE_FAILURE_H
#define GPTIMAGE2_ENGINE_FILE_FAILURE_H

#include "engine/base/failure.h"

#include <stdbool.h>

/* Sets it by errno; gives false.  `doing` it with `path` was not possible. */
bool file_fail(Failure *failure, const char *doing, const char *path);

#endif
