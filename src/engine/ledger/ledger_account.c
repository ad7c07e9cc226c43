/* Whose jobs are in a ledger: see ledger_account.h. */
#include "ledger_account.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "sha256:"
#define SALT_BYTES 32

/* The salt, in `salt`: SQLITE_ROW, SQLITE_DONE when there is none, or what went
 * wrong. */
static int read_salt(sqlite3 *db, unsigned char salt[SALT_BYTES]) {
  sqlite3_stmt *statement = NULL;
  int code = sqlite3_prepare_v2(
      db, "SELECT value FROM meta WHERE name = 'salt'", -1, &statement, NULL);
  if (code == SQLITE_OK)
    code = sqlite3_step(statement);
  if (code == SQLITE_ROW && sqlite3_column_bytes(statement, 0) == SALT_BYTES &&
      sqlite3_column_blob(statement, 0))
    memcpy(salt, sqlite3_column_blob(statement, 0), SALT_BYTES);
  else if (code == SQLITE_ROW)
    code = SQLITE_CORRUPT;
  sqlite3_finalize(statement);
  return code;
}

static int write_salt(sqlite3 *db, const unsigned char salt[SALT_BYTES]) {
  sqlite3_stmt *statement = NULL;
  int code = sqlite3_prepare_v2(
      db, "INSERT INTO meta (name, value) VALUES ('salt', ?)", -1, &statement,
      NULL);
  if (code == SQLITE_OK)
    code = sqlite3_bind_blob(statement, 1, salt, SALT_BYTES, SQLITE_STATIC);
  if (code == SQLITE_OK)
    code = sqlite3_step(statement);
  sqlite3_finalize(statement);
  return code;
}

/* Read, or made. */
static bool get_salt(sqlite3 *db, unsigned char salt[SALT_BYTES],
                     Failure *failure) {
  int code = read_salt(db, salt);
  if (code == SQLITE_DONE) {
    randombytes_buf(salt, SALT_BYTES);
    code = write_salt(db, salt);
  }
  if (code == SQLITE_ROW || code == SQLITE_DONE)
    return true;
  failure_set(failure, "ledger",
              (code & 0xff) == SQLITE_CORRUPT ? "ledger_damaged"
                                              : "ledger_unwritable",
              "the ledger's salt cannot be had: %s", sqlite3_errstr(code));
  return false;
}

static char *digest(const unsigned char salt[SALT_BYTES], const char *api_key) {
  unsigned char hash[crypto_hash_sha256_BYTES];
  crypto_hash_sha256_state state;
  size_t size = strlen(PREFIX) + 2 * sizeof hash + 1;
  char *name = malloc(size);
  if (!name)
    return NULL;
  crypto_hash_sha256_init(&state);
  crypto_hash_sha256_update(&state, salt, SALT_BYTES);
  crypto_hash_sha256_update(&state, (const unsigned char *)api_key,
                            strlen(api_key));
  crypto_hash_sha256_final(&state, hash);
  sodium_memzero(&state, sizeof state);
  memcpy(name, PREFIX, strlen(PREFIX));
  sodium_bin2hex(name + strlen(PREFIX), size - strlen(PREFIX), hash,
                 sizeof hash);
  return name;
}

bool ledger_account_name(sqlite3 *db, const LedgerOptions *options, char **name,
                         Failure *failure) {
  unsigned char salt[SALT_BYTES];
  if (!options->account && !options->api_key)
    return true;
  if (options->account) {
    *name = strdup(options->account);
  } else {
    if (sodium_init() < 0) {
      failure_set(failure, "ledger", "ledger_unopenable",
                  "libsodium cannot be used: it finds no random numbers");
      return false;
    }
    if (!get_salt(db, salt, failure))
      return false;
    *name = digest(salt, options->api_key);
  }
  if (!*name)
    failure_set(failure, "ledger", "ledger_unopenable", "out of memory");
  return *name != NULL;
}
