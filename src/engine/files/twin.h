/*
 * Whether what stands at a name already is what was to be written there.
 *
 * A program that is killed between a file's name and the ledger's row, and
 * another handle or process that saves the same job, find their own file in
 * the way: that is no conflict.  Both descriptors are of regular files, open
 * for reading at their beginning.  Any thread.
 */
#ifndef GPTIMAGE2_ENGINE_TWIN_H
#define GPTIMAGE2_ENGINE_TWIN_H

#include <stdbool.h>

/* The same bytes. */
bool twin_has_same_bytes(int there, int ours);

/* Two sidecars of one job that name the same files: the `id`, and the `file` of
 * each of the `results`.  The rest may differ: a handle that was made from an
 * id knows no request, and a URL may be a newer one. */
bool twin_is_same_sidecar(int there, int ours);

#endif
