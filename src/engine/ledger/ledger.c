/* The ledger: see ledger.h. */
#include "ledger.h"

#include "engine/base/clock.h"
#include "engine/files/file_limit.h"
#include "engine/store/ledger_check.h"
#include "engine/store/ledger_file.h"
#include "engine/store/ledger_lock.h"
#include "engine/store/ledger_open.h"
#include "engine/store/ledger_patience.h"
#include "engine/store/ledger_schema.h"
#include "ledger_account.h"
#include "ledger_bind.h"
#include "ledger_notes.h"
#include "ledger_sql.h"

#include <stdlib.h>
#include <string.h>

/* Milliseconds for which the I/O thread, and with it every job, waits for
 * somebody who has the file locked; and for the last time. */
#define BUSY_TIMEOUT 20
#define BUSY_TIMEOUT_LAST 2000

struct Ledger {
  char *path; /* absolute */
  char file[LEDGER_FILE_ID];
  char *account; /* NULL = none */
  sqlite3 *db;
  LedgerLock *lock;
  sqlite3_stmt *statements[STATEMENTS];
  bool open;         /* a transaction is */
  bool broken;       /* for good */
  bool made;         /* the file was not there before */
  Failure moved;     /* its file is not where it was; kind NULL = it is */
  Failure trouble;   /* why it is down; kind NULL = it is not */
  LedgerNotes notes; /* told, and not durable */
  LedgerNote *left;  /* the first of those that is not in the transaction */
};

static void copy_failure(Failure *to, const Failure *from) {
  failure_set(to, from->kind, from->code, "%s",
              from->detail ? from->detail : "");
}

/* What says that the file, not the machine or somebody else, is in the way. */
static bool is_final(int code) {
  return code == SQLITE_READONLY_DBMOVED ||
         strcmp(ledger_trouble(code), "ledger_damaged") == 0;
}

static void explain(Ledger *ledger) {
  int code = sqlite3_extended_errcode(ledger->db);
  ledger->broken = is_final(code);
  failure_set(&ledger->trouble, "ledger",
              ledger->broken ? "ledger_damaged" : "ledger_unwritable",
              "the ledger '%.300s' cannot be written (%s): nothing is spent%s",
              ledger->path, sqlite3_errmsg(ledger->db),
              ledger->broken ? " any more" : " until it can");
}

static bool fail(Ledger *ledger) {
  failure_clear(&ledger->trouble);
  explain(ledger);
  if (ledger->open)
    sqlite3_exec(ledger->db, "ROLLBACK", NULL, NULL, NULL);
  ledger->open = false;
  ledger->left = ledger->notes.first;
  return false;
}

/* Finds the file, or makes it, and locks it. */
static bool open_file(Ledger *ledger, const char *path, bool any_owner,
                      Failure *failure) {
  struct stat info;
  ledger->path = ledger_file_path(path, failure);
  if (!ledger->path ||
      !ledger_file_make(ledger->path, any_owner, &ledger->made, failure) ||
      !ledger_file_check(ledger->path, any_owner, &info, failure))
    return false;
  ledger_file_id(&info, ledger->file);
  ledger->lock = ledger_lock(ledger->path, &info, failure);
  if (ledger->lock)
    ledger_lock_claim(ledger->lock);
  return ledger->lock != NULL;
}

static bool prepare(Ledger *ledger, Failure *failure) {
  ledger_sql_functions(ledger->db); /* without one they are not prepared */
  for (int i = 0; i < STATEMENTS; i++)
    if (sqlite3_prepare_v3(ledger->db, ledger_sql[i], -1,
                           SQLITE_PREPARE_PERSISTENT, &ledger->statements[i],
                           NULL) != SQLITE_OK) {
      failure_set(failure, "ledger",
                  ledger_trouble(sqlite3_errcode(ledger->db)),
                  "the ledger '%.300s' cannot be used: %s", ledger->path,
                  sqlite3_errmsg(ledger->db));
      return false;
    }
  ledger_patience_set(ledger->db, BUSY_TIMEOUT);
  return true;
}

/* A version 0.1 is kept away before anything is written. */
static bool open_contents(Ledger *ledger, const LedgerOptions *options,
                          Failure *failure) {
  LedgerContents contents;
  ledger->db = ledger_open_writer(ledger->path, &contents, failure);
  if (!ledger->db || !ledger_lock_old(ledger->lock, ledger->path, failure) ||
      !ledger_set_up(ledger->db, ledger->path, &contents, failure) ||
      !ledger_account_name(ledger->db, options, &ledger->account, failure) ||
      !prepare(ledger, failure))
    return false;
  ledger_lock_watch_log(ledger->lock, ledger->path);
  return true;
}

static void close_contents(Ledger *ledger) {
  for (int i = 0; i < STATEMENTS; i++)
    sqlite3_finalize(ledger->statements[i]);
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
 * else locked first leaves it to them. */
static void abandon(Ledger *ledger, bool locked) {
  close_contents(ledger);
  if (ledger->made && !locked)
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
  if (open_file(ledger, path, options->any_owner, failure) &&
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

/* In a child SQLite would close the parent's log: what there is stays. */
void ledger_close(Ledger *ledger) {
  FileLimit limit; /* it may be the host's thread */
  if (!ledger_lock_is_mine(ledger->lock))
    return;
  file_limit_hold(&limit);
  close_contents(ledger);
  free_ledger(ledger);
  file_limit_release(&limit);
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

bool ledger_may_spend(Ledger *ledger, Failure *failure) {
  if (ledger->moved.kind ||
      !ledger_lock_in_place(ledger->lock, ledger->path, &ledger->moved)) {
    copy_failure(failure, &ledger->moved);
    return false;
  }
  return true;
}

/* A transaction is open.  False when the ledger is down. */
static bool begin(Ledger *ledger) {
  if (ledger->trouble.kind)
    return false;
  if (!ledger->open && sqlite3_exec(ledger->db, "BEGIN IMMEDIATE", NULL, NULL,
                                    NULL) != SQLITE_OK)
    return fail(ledger);
  ledger->open = true;
  return true;
}

/* What INTEND_BODY and INTEND_AGAIN have in common. */
static void bind_body(sqlite3_stmt *statement, const LedgerEntry *entry) {
  ledger_bind_text(statement, 1, entry->key);
  ledger_bind_blob(statement, 2, entry->body, entry->body_length);
}

static bool refuse_key(const LedgerEntry *entry, Failure *failure) {
  failure_set(failure, "ledger", "key_in_use",
              "the ledger has a job with the key %.255s already: "
              "client:recover() and client:history() tell of it",
              entry->key);
  return false;
}

/* The row is not as one who wants to send its job must have it. */
static bool refuse_send(Ledger *ledger, const char *key, Failure *failure) {
  sqlite3_stmt *statement = ledger->statements[STATE_OF];
  int code;
  ledger_bind_text(statement, 1, key);
  code = sqlite3_step(statement);
  if (code == SQLITE_ROW) {
    failure_set(failure, "ledger", "not_ours_to_send",
                "the ledger says that the job with the key %.255s is %.32s, "
                "and not this client's to send: it was not sent by it",
                key, (const char *)sqlite3_column_text(statement, 0));
  } else if (code == SQLITE_DONE) {
    failure_set(failure, "ledger", "key_in_use",
                "the ledger has no job with the key %.255s", key);
  } else {
    fail(ledger);
    ledger_why(ledger, failure);
  }
  ledger_rewind(statement);
  return false;
}

/* SQLITE_DONE, or the error.  `done`: the row is the entry's. */
static int insert(Ledger *ledger, const LedgerEntry *entry, bool *done) {
  sqlite3_stmt *body = ledger->statements[INTEND_BODY];
  int code;
  ledger_bind_entry(ledger->statements[INTEND], entry, ledger->account);
  code = ledger_finish(ledger->statements[INTEND]);
  *done = code == SQLITE_DONE && sqlite3_changes(ledger->db) == 1;
  if (!*done)
    return code;
  bind_body(body, entry);
  return ledger_finish(body);
}

static int take_over(Ledger *ledger, const LedgerEntry *entry, bool *done) {
  sqlite3_stmt *statement =
      ledger->statements[entry->doubt ? INTEND_REPEAT : INTEND_AGAIN];
  int code;
  bind_body(statement, entry);
  sqlite3_bind_double(statement, 3, clock_wall());
  ledger_bind_text(statement, 4, ledger->account);
  ledger_bind_text(statement, 5, entry->attempt_id);
  if (entry->doubt)
    ledger_bind_text(statement, 6, entry->job_id);
  else
    ledger_bind_text(statement, 12, entry->next_id);
  code = ledger_finish(statement);
  *done = code == SQLITE_DONE && sqlite3_changes(ledger->db) == 1;
  return code;
}

bool ledger_intend(Ledger *ledger, const LedgerEntry *entry, bool again,
                   Failure *failure) {
  bool done = false;
  int code;
  if (!ledger_may_spend(ledger, failure))
    return false;
  if (begin(ledger)) {
    code =
        again ? take_over(ledger, entry, &done) : insert(ledger, entry, &done);
    if (code == SQLITE_DONE && done)
      return true;
    if (code == SQLITE_DONE)
      return again ? refuse_send(ledger, entry->key, failure)
                   : refuse_key(entry, failure);
    fail(ledger);
  }
  ledger_why(ledger, failure);
  return false;
}

bool ledger_permit(Ledger *ledger, const char *key, const LedgerSend *send,
                   Failure *failure) {
  sqlite3_stmt *statement = ledger->statements[PERMIT];
  if (begin(ledger)) {
    ledger_bind_text(statement, 1, key);
    ledger_bind_text(statement, 2, send->attempt_id);
    ledger_bind_text(statement, 3, send->next_id);
    ledger_bind_text(statement, 4, send->again ? "sent" : "intent");
    sqlite3_bind_int(statement, 5, (int)send->attempts);
    sqlite3_bind_double(statement, 6, clock_wall());
    ledger_bind_text(statement, 7, ledger->account);
    if (ledger_finish(statement) == SQLITE_DONE)
      return sqlite3_changes(ledger->db) == 1 ||
             refuse_send(ledger, key, failure);
    fail(ledger);
  }
  ledger_why(ledger, failure);
  return false;
}

bool ledger_has_other(Ledger *ledger, const char *base_url, const char *id,
                      const char *key) {
  sqlite3_stmt *statement = ledger->statements[OTHER_WITH_ID];
  int code;
  ledger_bind_text(statement, 1, id);
  ledger_bind_text(statement, 2, base_url);
  ledger_bind_text(statement, 3, key);
  code = sqlite3_step(statement);
  if (is_final(code))
    fail(ledger);
  ledger_rewind(statement);
  return code == SQLITE_ROW;
}

/* ---- news ---- */

/* The answers go to a table of their own. */
static bool tell_answers(Ledger *ledger, const char *key,
                         const LedgerNews *news) {
  sqlite3_stmt *statement =
      ledger->statements[key ? ANSWER_BY_KEY : ANSWER_BY_ID];
  if (!news->answer && !news->result)
    return true;
  ledger_bind_text(statement, 1, key ? key : news->job_id);
  ledger_bind_blob(statement, 2, news->answer, news->answer_length);
  ledger_bind_blob(statement, 3, news->result, news->result_length);
  sqlite3_bind_int(statement, 4, news->failed);
  sqlite3_bind_int(statement, 7, news->job_id != NULL);
  if (!key) {
    ledger_bind_text(statement, 5, news->base_url);
    ledger_bind_text(statement, 6, ledger->account);
  }
  return ledger_finish(statement) == SQLITE_DONE;
}

static bool write_news(Ledger *ledger, const char *key,
                       const LedgerNews *news) {
  sqlite3_stmt *statement = ledger->statements[key ? TELL_BY_KEY : TELL_BY_ID];
  ledger_bind_text(statement, 1, key ? key : news->job_id);
  ledger_bind_text(statement, 2, news->state);
  ledger_bind_text(statement, 3, news->charged);
  ledger_bind_text(statement, 4, news->job_id);
  ledger_bind_text(statement, 5, news->error);
  sqlite3_bind_int(statement, 6, (int)news->attempts);
  if (news->status)
    sqlite3_bind_int(statement, 7, news->status);
  sqlite3_bind_double(statement, 8, clock_wall());
  ledger_bind_text(statement, 9, key ? news->attempt_id : news->base_url);
  ledger_bind_text(statement, 10, key ? news->next_id : ledger->account);
  ledger_bind_text(statement, 11, news->account);
  sqlite3_bind_int(statement, 12, key && news->attempt_id);
  if (key) {
    ledger_bind_text(statement, 13, news->seen_id);
    sqlite3_bind_int(statement, 14, news->seen_in_doubt);
  }
  return ledger_finish(statement) == SQLITE_DONE &&
         tell_answers(ledger, key, news);
}

static bool write_file(Ledger *ledger, const LedgerNote *note) {
  sqlite3_stmt *statement = ledger->statements[SAVE_FILE];
  ledger_bind_text(statement, 1, note->key);
  sqlite3_bind_int(statement, 2, (int)note->n);
  ledger_bind_text(statement, 3, note->path);
  sqlite3_bind_double(statement, 4, clock_wall());
  return ledger_finish(statement) == SQLITE_DONE;
}

static bool write_note(Ledger *ledger, const LedgerNote *note) {
  bool ok =
      begin(ledger) && (note->n ? write_file(ledger, note)
                                : write_news(ledger, note->key, &note->news));
  return ok || (ledger->trouble.kind ? false : fail(ledger));
}

/* Written now if it can be, and kept until that is durable. */
static void keep(Ledger *ledger, const LedgerNote *note) {
  LedgerNote *kept = ledger_notes_add(&ledger->notes, note);
  if (!ledger->left && !ledger->trouble.kind)
    write_note(ledger, kept ? kept : note);
  else if (!ledger->left)
    ledger->left = kept;
}

void ledger_tell(Ledger *ledger, const char *key, const LedgerNews *news) {
  keep(ledger, &(LedgerNote){.key = key, .news = *news});
}

void ledger_save_file(Ledger *ledger, const char *key, unsigned n,
                      const char *path) {
  keep(ledger, &(LedgerNote){.key = key, .n = n, .path = path});
}

static bool is_open(const char *state) {
  static const char *const open[] = {"intent", "sent", "accepted", "unknown"};
  for (size_t i = 0; i < sizeof open / sizeof *open; i++)
    if (strcmp(state, open[i]) == 0)
      return true;
  return false;
}

bool ledger_look(Ledger *ledger, const char *key, LedgerStand *stand) {
  sqlite3_stmt *statement = ledger->statements[STATE_OF];
  const char *state, *charged;
  int code;
  ledger_bind_text(statement, 1, key);
  code = sqlite3_step(statement);
  *stand = (LedgerStand){.found = code == SQLITE_ROW};
  if (stand->found) {
    state = (const char *)sqlite3_column_text(statement, 0);
    charged = (const char *)sqlite3_column_text(statement, 1);
    stand->open = !state || is_open(state);
    stand->free = charged && strcmp(charged, "no") == 0;
  }
  if (is_final(code))
    fail(ledger);
  ledger_rewind(statement);
  return code == SQLITE_ROW || code == SQLITE_DONE;
}

bool ledger_settle(Ledger *ledger, const char *key, const LedgerNews *news,
                   Failure *failure) {
  const LedgerNote *last = ledger->notes.last;
  if (!ledger->trouble.kind)
    ledger_tell(ledger, key, news);
  if (ledger_flush(ledger, failure))
    return true;
  if (ledger->notes.last && ledger->notes.last != last)
    ledger_notes_drop_last(&ledger->notes);
  ledger->left = ledger->notes.first;
  return false;
}

/* ---- what is durable ---- */

static bool write_left(Ledger *ledger) {
  for (; ledger->left; ledger->left = ledger->left->next)
    if (!write_note(ledger, ledger->left))
      return false;
  return true;
}

bool ledger_flush(Ledger *ledger, Failure *failure) {
  if (!ledger->trouble.kind && write_left(ledger)) {
    if (!ledger->open ||
        sqlite3_exec(ledger->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK) {
      ledger->open = false;
      ledger_notes_clear(&ledger->notes);
      return true;
    }
    fail(ledger);
  }
  ledger_why(ledger, failure);
  return false;
}

bool ledger_is_down(const Ledger *ledger) {
  return ledger->trouble.kind != NULL;
}

bool ledger_is_broken(const Ledger *ledger) {
  return ledger->broken;
}

void ledger_why(const Ledger *ledger, Failure *failure) {
  failure_clear(failure);
  copy_failure(failure, &ledger->trouble);
}

bool ledger_restart(Ledger *ledger, bool last) {
  if (ledger->broken || !ledger->trouble.kind)
    return !ledger->broken;
  failure_clear(&ledger->trouble);
  ledger_patience_set(ledger->db, last ? BUSY_TIMEOUT_LAST : 0);
  begin(ledger);
  ledger_patience_set(ledger->db, BUSY_TIMEOUT);
  return !ledger->trouble.kind;
}
