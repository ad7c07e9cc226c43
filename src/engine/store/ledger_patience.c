/* How long a ledger's connection waits: see ledger_patience.h. */
#include "ledger_patience.h"

#include "engine/base/clock.h"

#include <pthread.h>
#include <stdint.h>
#include <time.h>

#define PAUSE 5 /* milliseconds between two looks at a lock */
#define BRIEF 1 /* the same for the first ones: a commit is soon over */
#define BRIEF_LOOKS 20
#define PAUSE_MAX 1.0 /* milliseconds, of SQLite's own: up to 90 in a row */

static void rest(double milliseconds) {
  struct timespec time = {.tv_nsec = (long)(milliseconds * 1e6)};
  nanosleep(&time, NULL);
}

static int rest_briefly(sqlite3_vfs *vfs, int microseconds) {
  double asked = microseconds / 1e3;
  (void)vfs;
  rest(asked < PAUSE_MAX ? asked : PAUSE_MAX);
  return microseconds;
}

static sqlite3_vfs vfs; /* lives as long as the process: see -z nodelete */
static const char *vfs_name;

static void register_vfs(void) {
  sqlite3_vfs *system = sqlite3_vfs_find(NULL);
  if (!system)
    return;
  vfs = *system;
  vfs.zName = "gptimage2";
  vfs.xSleep = rest_briefly;
  if (sqlite3_vfs_register(&vfs, 0) == SQLITE_OK)
    vfs_name = vfs.zName;
}

const char *ledger_patience_vfs(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, register_vfs);
  return vfs_name;
}

/* The `count`-th look found it locked; 0 = that was the last one.  On a busy
 * machine a pause is longer than it was to be: the clock counts. */
static int on_busy(void *milliseconds, int count) {
  static _Thread_local double since; /* seconds */
  double now = clock_monotonic();
  if (count == 0)
    since = now;
  if ((now - since) * 1e3 >= (double)(intptr_t)milliseconds)
    return 0;
  rest(count < BRIEF_LOOKS ? BRIEF : PAUSE);
  return 1;
}

void ledger_patience_set(sqlite3 *db, int milliseconds) {
  /* A number, not an address. NOLINTNEXTLINE(performance-no-int-to-ptr) */
  sqlite3_busy_handler(db, on_busy, (void *)(intptr_t)milliseconds);
}
