/* How long the jobs of a service took: see ledger.h. */
#include "engine/base/url.h"
#include "ledger_bind.h"
#include "ledger_state.h"

#include <string.h>

/* What the DURATIONS statement gives. */
enum { BASE_URL, MODE, IMAGES, SECONDS, SUBMITTED };

#define DAY 86400.0 /* seconds */

/* False for one of another service, or of which that is not known, or cannot
 * be: others may have written into the file. */
static bool read_row(sqlite3_stmt *row, const char *service,
                     LedgerDuration *duration) {
  const char *url = (const char *)sqlite3_column_text(row, BASE_URL);
  const char *mode = (const char *)sqlite3_column_text(row, MODE);
  char name[URL_NAME_MAX];
  duration->seconds = sqlite3_column_double(row, SECONDS);
  if (!url || !mode || !(duration->seconds > 0 && duration->seconds <= DAY))
    return false;
  url_write_name(name, url);
  duration->images = strcmp(mode, "image-to-image") == 0;
  duration->count = sqlite3_column_int(row, IMAGES);
  duration->submitted = sqlite3_column_double(row, SUBMITTED);
  return strcmp(name, service) == 0;
}

unsigned ledger_durations(Ledger *ledger, const char *base_url,
                          LedgerDuration *found, unsigned most) {
  sqlite3_stmt *statement = ledger->statements[DURATIONS];
  char service[URL_NAME_MAX];
  unsigned count = 0;
  int code;
  url_write_name(service, base_url);
  sqlite3_bind_int(statement, 1, (int)most);
  while ((code = sqlite3_step(statement)) == SQLITE_ROW)
    if (count < most && read_row(statement, service, &found[count]))
      count++;
  if (ledger_is_final(code))
    ledger_fail(ledger);
  ledger_rewind(statement);
  return count;
}
