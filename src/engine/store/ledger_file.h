/*
 * The file of a ledger, looked at with distrust before anybody opens it.
 * Private to the ledger's files; any thread.
 */
#ifndef GPTIMAGE2_ENGINE_LEDGER_FILE_H
#define GPTIMAGE2_ENGINE_LEDGER_FILE_H

#include "engine/base/failure.h"

#include <stdbool.h>
#include <sys/stat.h>

/* The path with its folder made absolute and freed of links, so that it names
 * the same file wherever the program goes: to be freed by the caller.  NULL
 * with ledger/ledger_unopenable. */
char *ledger_file_path(const char *path, Failure *failure);

/* Is that a regular file of ours, by no symbolic link and under no other name?
 * `any_owner`: it may be somebody else's, or seem so.  It is not opened:
 * closing a descriptor of it would end the locks that SQLite holds on it for
 * this process.  False with `failure`. */
bool ledger_file_check(const char *path, bool any_owner, struct stat *info,
                       Failure *failure);

/* Which file that is, whatever its name: as text. */
#define LEDGER_FILE_ID 48
void ledger_file_id(const struct stat *info, char id[LEDGER_FILE_ID]);

/* Is that the file with this name from ledger_file_id, which may be NULL for
 * any?  False with ledger/ledger_replaced. */
bool ledger_file_is_meant(const char *path, const struct stat *info,
                          const char *id, Failure *failure);

/* Makes the file, empty, for its owner alone, where there is none; `made` says
 * so.  False with `failure`. */
bool ledger_file_make(const char *path, bool any_owner, bool *made,
                      Failure *failure);

/* Whether there is nothing in it. */
bool ledger_file_is_empty(const char *path);

/* Takes away a file that was just made, with its companions; "<path>.lock" only
 * where that was made, too. */
void ledger_file_remove(const char *path, bool with_lock);

/* Refuses: "the ledger '<path>' <why>". */
void ledger_file_refuse(Failure *failure, const char *code, const char *path,
                        const char *why);

/* "cannot be <what>: <reason>" */
void ledger_file_refuse_for(Failure *failure, const char *code,
                            const char *path, const char *what,
                            const char *reason);

/* The same, by an errno: for a while (ledger_unwritable) where this machine
 * lacks descriptors or memory, else as ledger_unopenable. */
void ledger_file_refuse_errno(Failure *failure, const char *path,
                              const char *what, int error);

#endif
