/*
 * Several processes of one machine on one ledger: who of them lives, and
 * whether all have it by the same name.  They say so by locks on bytes of the
 * ledger's file, far behind those that SQLite locks, which go with the process
 * however it ends.  So nothing is written for that, and no clock is asked.
 *
 *   gate      one opens or closes the file at a time
 *   spender   each shares it; who wants the ledger alone has it alone
 *   names     each shares the one byte that is told by folder and name of the
 *             file.  Another one of them is held: the file is open under
 *             another name (a hard link, a bind mount, moved), under which
 *             SQLite has another log, which the file does not survive
 *   workers   each has one for itself, drawn by lot: its number is what a row
 *             has as its owner
 *
 * Private to the ledger's files; any thread.
 */
#ifndef GPTIMAGE2_ENGINE_LEDGER_SHARE_H
#define GPTIMAGE2_ENGINE_LEDGER_SHARE_H

#include <stdbool.h>
#include <stdint.h>

/* The name of a worker, as in rows: seven hexadecimal digits. */
#define LEDGER_WORKER_MAX 8 /* bytes */

/* Can several have this file at once?  Only where locks of open files hold
 * between all who see it. */
bool ledger_share_can(int fd);

/* Waits for the gate, at most so many milliseconds: 0, EAGAIN or another errno.
 */
int ledger_share_enter_gate(int fd, int milliseconds);
void ledger_share_leave_gate(int fd);

/* To have the ledger for oneself, or beside others: 0, EAGAIN where somebody is
 * in the way, or another errno. */
int ledger_share_spend_alone(int fd);
int ledger_share_spend(int fd);

/* Inside of the gate: says by which name the file is open here.  EAGAIN: others
 * have it open by another one. */
int ledger_share_tell_name(int fd, const char *path);

/* Draws a number nobody has. */
int ledger_share_draw(int fd, uint32_t *worker);

/* Inside of the gate: nobody else spends on it. */
bool ledger_share_is_last(int fd);

/* Gives back all of the above. */
void ledger_share_leave(int fd);

void ledger_share_name_worker(uint32_t worker, char name[LEDGER_WORKER_MAX]);

/* Does the worker of that name live, in another process?  What is no name is
 * nobody's. */
bool ledger_share_is_alive(int fd, const char *name);

#endif
