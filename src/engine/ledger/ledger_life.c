/* Opening a ledger, and giving it back: see ledger.h. */
#include "ledger.h"

#include "engine/files/file_limit.h"
#include "engine/store/ledger_check.h"
#include "engine/store/ledger_open.h"
#include "engine/store/ledger_patience.h"
#include "engine/store/ledger_schema.h"
#include "engine/store/ledger_tenant.h"
#include "ledger_account.h"
#include "ledger_state.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* ---- those that are open ---- */

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static Ledger *open_ledgers; /* under the guard */

/* In the child: they are the parent's, and whoever had the guard is not here.
 */
static void begin_child(void) {
  pthread_mutex_init(&guard, NULL);
  open_ledgers = NULL;
}

static void watch_forks(void) {
  pthread_atfork(NULL, NULL, begin_child);
}

static void enter(Ledger *ledger) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, watch_forks);
  pthread_mutex_lock(&guard);
  ledger->next_open = open_ledgers;
  open_ledgers = ledger;
  pthread_mutex_unlock(&guard);
}

/* Whether it was among them: who takes it out closes it. */
static bool leave(const Ledger *ledger) {
  Ledger **at = &open_ledgers;
  bool found;
  pthread_mutex_lock(&guard);
  while (*at && *at != ledger)
    at = &(*at)->next_open;
  found = *at != NULL;
  if (found)
    *at = ledger->next_open;
  pthread_mutex_unlock(&guard);
  return found;
}

/* Takes any of them out; NULL = there is none, or another thread has the guard:
 * that closes one. */
static Ledger *take_any(void) {
  Ledger *ledger;
  if (pthread_mutex_trylock(&guard) != 0)
    return NULL;
  ledger = open_ledgers;
  if (ledger)
    open_ledgers = ledger->next_open;
  pthread_mutex_unlock(&guard);
  return ledger;
}

/* ---- opening ---- */

/* Finds the file, or makes it, and locks it.  What somebody else made a ledger
 * of meanwhile was not made here. */
static bool open_file(Ledger *ledger, const char *path,
                      const LedgerOptions *options, Failure *failure) {
  bool any_owner = options->any_owner;
  struct stat info;
  ledger->path = ledger_file_path(path, failure);
  if (!ledger->path ||
      !ledger_file_make(ledger->path, any_owner, &ledger->made, failure) ||
      !ledger_file_check(ledger->path, any_owner, &info, failure))
    return false;
  ledger_file_id(&info, ledger->file);
  ledger->lock = ledger_lock(ledger->path, &info, options->alone, failure);
  if (!ledger->lock)
    return false;
  ledger->made = ledger_lock_claim(ledger->lock) && ledger->made;
  ledger_lock_worker(ledger->lock, ledger->worker);
  return true;
}

static int prepare_all(Ledger *ledger) {
  int code = ledger_tenant_count_any(ledger->db, &ledger->counts);
  ledger_sql_functions(ledger->db); /* without one they are not prepared */
  for (int i = 0; i < STATEMENTS && code == SQLITE_OK; i++)
    code = sqlite3_prepare_v3(ledger->db, ledger_sql[i], -1,
                              SQLITE_PREPARE_PERSISTENT, &ledger->statements[i],
                              NULL);
  return code;
}

static bool prepare(Ledger *ledger, Failure *failure) {
  int code = prepare_all(ledger);
  if (code == SQLITE_OK) {
    ledger_patience_set(ledger->db, LEDGER_BUSY);
    return true;
  }
  failure_set(failure, "ledger", ledger_trouble(code),
              "the ledger '%.300s' cannot be used: %s", ledger->path,
              sqlite3_errmsg(ledger->db));
  return false;
}

/* A version 0.1 is kept away before anything is written. */
static bool open_contents(Ledger *ledger, const LedgerOptions *options,
                          Failure *failure) {
  LedgerContents contents;
  ledger->db = ledger_open_writer(ledger->path, &contents, failure);
  if (!ledger->db ||
      !ledger_lock_old(ledger->lock, ledger->path, ledger_is_current(&contents),
                       failure) ||
      !ledger_set_up(ledger->db, ledger->path, &contents, failure) ||
      !ledger_account_name(ledger->db, options, &ledger->account, failure) ||
      !prepare(ledger, failure))
    return false;
  ledger_lock_watch_log(ledger->lock, ledger->path);
  ledger_lock_opened(ledger->lock);
  enter(ledger);
  return true;
}

static void close_contents(Ledger *ledger) {
  for (int i = 0; i < STATEMENTS; i++) {
    sqlite3_finalize(ledger->statements[i]);
    ledger->statements[i] = NULL;
  }
  sqlite3_close(ledger->db);
  ledger->db = NULL;
}

static void free_ledger(Ledger *ledger) {
  ledger_unlock(ledger->lock, false);
  ledger_notes_clear(&ledger->notes);
  failure_clear(&ledger->trouble);
  failure_clear(&ledger->moved);
  free(ledger->account);
  free(ledger->path);
  free(ledger);
}

/* The lock is held until what was made is gone.  Who made a file that somebody
 * else may have locked first leaves it to them once there is something in it.
 */
static void abandon(Ledger *ledger, bool locked) {
  close_contents(ledger);
  if (ledger->made && !locked &&
      (ledger->lock || ledger_file_is_empty(ledger->path)))
    ledger_file_remove(ledger->path,
                       ledger->lock && ledger_lock_made_old(ledger->lock));
  free_ledger(ledger);
}

static Ledger *open_as(const char *path, const LedgerOptions *options,
                       Failure *failure) {
  Ledger *ledger = calloc(1, sizeof *ledger);
  if (!ledger) {
    failure_set(failure, "ledger", "ledger_unopenable", "out of memory");
    return NULL;
  }
  if (open_file(ledger, path, options, failure) &&
      open_contents(ledger, options, failure))
    return ledger;
  abandon(ledger, !ledger->lock && strcmp(failure->code, "ledger_locked") == 0);
  return NULL;
}

/* On the host's thread. */
Ledger *ledger_open_as(const char *path, const LedgerOptions *options,
                       Failure *failure) {
  FileLimit limit;
  Ledger *ledger;
  file_limit_hold(&limit);
  ledger = open_as(path, options, failure);
  file_limit_release(&limit);
  return ledger;
}

Ledger *ledger_open(const char *path, Failure *failure) {
  return ledger_open_as(path, &(LedgerOptions){0}, failure);
}

/* Who is not the last leaves the log to the others, whatever SQLite thinks of
 * who is there: its own locks go with any descriptor of the file that a program
 * closes. */
static void leave_log(Ledger *ledger) {
  if (!ledger_lock_is_last(ledger->lock))
    sqlite3_db_config(ledger->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

/* Its file and its lock. */
static void end(Ledger *ledger) {
  FileLimit limit; /* it may be the host's thread */
  file_limit_hold(&limit);
  leave_log(ledger);
  close_contents(ledger);
  ledger_unlock(ledger->lock, false);
  ledger->lock = NULL;
  file_limit_release(&limit);
}

/* In a child, whose list is empty, SQLite would close the parent's log: what
 * there is stays.  So does what the end of the process has taken out. */
void ledger_close(Ledger *ledger) {
  if (!leave(ledger))
    return;
  end(ledger);
  free_ledger(ledger);
}

void ledger_end_all(void) {
  Ledger *ledger;
  while ((ledger = take_any()))
    end(ledger);
}

const char *ledger_path(const Ledger *ledger) {
  return ledger->path;
}

const char *ledger_file_of(const Ledger *ledger) {
  return ledger->file;
}

const char *ledger_account(const Ledger *ledger) {
  return ledger->account;
}

const char *ledger_worker(const Ledger *ledger) {
  return ledger->worker;
}

bool ledger_may_spend(Ledger *ledger, Failure *failure) {
  if (ledger->moved.kind ||
      !ledger_lock_in_place(ledger->lock, ledger->path, &ledger->moved)) {
    failure_copy(failure, &ledger->moved);
    return false;
  }
  return true;
}
