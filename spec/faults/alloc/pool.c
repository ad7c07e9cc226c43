/* Allocators that fail on command: see pool.h. */
#include "pool.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
#define BLOCKS_MAX ((size_t)1 << 16) /* live blocks that are told apart */

/* glibc's own, under the names it keeps for those who replace malloc. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void __libc_free(void *block);

EXPORT void *malloc(size_t size);
EXPORT void *calloc(size_t count, size_t size);
EXPORT void *realloc(void *block, size_t size);
EXPORT void free(void *block);
EXPORT char *strdup(const char *text);

static struct {
  atomic_long calls;
  atomic_long held;
} pools[POOLS];

static PoolName chosen;
static PoolMode mode = POOL_NEVER;
static long chosen_n;
static atomic_bool armed;
static atomic_bool fired;

void pool_choose(PoolName name, PoolMode how, long n) {
  chosen = name;
  mode = how;
  chosen_n = n;
}

void pool_arm(bool on) {
  atomic_store(&armed, on);
}

long pool_calls(PoolName name) {
  return atomic_load(&pools[name].calls);
}

long pool_held(PoolName name) {
  return atomic_load(&pools[name].held);
}

bool pool_fired(void) {
  return atomic_load(&fired);
}

/* Counts one allocation; true when it is to fail. */
static bool fails(PoolName name) {
  long n;
  if (!atomic_load(&armed))
    return false;
  n = atomic_fetch_add(&pools[name].calls, 1) + 1;
  if (name != chosen || mode == POOL_NEVER || n < chosen_n ||
      (n > chosen_n && mode != POOL_EVER))
    return false;
  atomic_store(&fired, true);
  return true;
}

static void *count(PoolName name, void *block) {
  if (block)
    atomic_fetch_add(&pools[name].held, 1);
  return block;
}

/* ---- Lua ---- */

void *pool_lua(void *user, void *block, size_t old_size, size_t new_size) {
  static void *again_block;
  static size_t again_size;
  size_t had = block ? old_size : 0;
  void *moved;
  (void)user;
  if (new_size > had) { /* shrinking never fails: Lua relies on that */
    bool again = again_size == new_size && again_block == block;
    again_size = 0;
    if (again && mode == POOL_ONCE)
      return NULL;
    if (fails(POOL_LUA)) {
      again_block = block;
      again_size = new_size;
      return NULL;
    }
  }
  if (new_size == 0) {
    __libc_free(block);
    moved = NULL;
  } else {
    moved = __libc_realloc(block, new_size);
  }
  if (moved || new_size == 0)
    atomic_fetch_add(&pools[POOL_LUA].held, (long)new_size - (long)had);
  return moved;
}

/* ---- who calls malloc ---- */

typedef struct Range {
  uintptr_t first, last;
} Range;

static Range ranges[POOLS];

static int note_range(struct dl_phdr_info *info, size_t size, void *user) {
  void *const *wanted = user; /* an address in the module, its Range */
  Range *range = wanted[1];
  Range found = {UINTPTR_MAX, 0};
  (void)size;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &info->dlpi_phdr[i];
    uintptr_t first = info->dlpi_addr + part->p_vaddr;
    if (part->p_type != PT_LOAD)
      continue;
    if (first < found.first)
      found.first = first;
    if (first + part->p_memsz > found.last)
      found.last = first + part->p_memsz;
  }
  if ((uintptr_t)wanted[0] < found.first || (uintptr_t)wanted[0] >= found.last)
    return 0;
  *range = found;
  return 1;
}

bool pool_claim(PoolName name, const char *path) {
  struct link_map *map;
  void *wanted[2] = {NULL, &ranges[name]};
  void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL); /* kept for good */
  if (!module || dlinfo(module, RTLD_DI_LINKMAP, &map) != 0)
    return false;
  wanted[0] = (void *)map->l_ld;
  return dl_iterate_phdr(note_range, wanted) == 1;
}

static PoolName caller_of(const void *address) {
  uintptr_t at = (uintptr_t)address;
  for (int i = 0; i < POOLS; i++)
    if (at >= ranges[i].first && at < ranges[i].last)
      return (PoolName)i;
  return POOLS;
}

/* ---- whose block it is: any module may free it ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
  void *block;
  PoolName name;
} blocks[BLOCKS_MAX];

static size_t place_of(const void *block) {
  return (size_t)(((uintptr_t)block >> 4) * 2654435761u) % BLOCKS_MAX;
}

static void *own(PoolName name, void *block) {
  if (!block || name == POOLS)
    return block;
  pthread_mutex_lock(&lock);
  for (size_t i = place_of(block);; i = (i + 1) % BLOCKS_MAX)
    if (!blocks[i].block) {
      blocks[i].block = block;
      blocks[i].name = name;
      break;
    }
  pthread_mutex_unlock(&lock);
  return count(name, block);
}

/* Closes the gap at `hole`: what was moved on because of it comes back. */
static void close_gap(size_t hole) {
  size_t i = hole;
  for (;;) {
    size_t home;
    i = (i + 1) % BLOCKS_MAX;
    if (!blocks[i].block)
      break;
    home = place_of(blocks[i].block);
    if ((i > hole && (home <= hole || home > i)) ||
        (i < hole && home <= hole && home > i)) {
      blocks[hole] = blocks[i];
      hole = i;
    }
  }
  blocks[hole].block = NULL;
}

static PoolName disown(const void *block) {
  PoolName name = POOLS;
  if (!block)
    return POOLS;
  pthread_mutex_lock(&lock);
  for (size_t i = place_of(block); blocks[i].block; i = (i + 1) % BLOCKS_MAX)
    if (blocks[i].block == block) {
      name = blocks[i].name;
      close_gap(i);
      break;
    }
  pthread_mutex_unlock(&lock);
  if (name != POOLS)
    atomic_fetch_sub(&pools[name].held, 1);
  return name;
}

static bool refuses(PoolName name) {
  if (name == POOLS || !fails(name))
    return false;
  errno = ENOMEM;
  return true;
}

void *malloc(size_t size) {
  PoolName name = caller_of(__builtin_return_address(0));
  return refuses(name) ? NULL : own(name, __libc_malloc(size));
}

void *calloc(size_t number, size_t size) {
  PoolName name = caller_of(__builtin_return_address(0));
  return refuses(name) ? NULL : own(name, __libc_calloc(number, size));
}

void *realloc(void *block, size_t size) {
  PoolName name = caller_of(__builtin_return_address(0));
  PoolName before;
  void *moved;
  if (refuses(name))
    return NULL;
  before = disown(block);
  moved = __libc_realloc(block, size);
  own(moved ? name : before, moved ? moved : block);
  return moved;
}

void free(void *block) {
  disown(block);
  __libc_free(block);
}

char *strdup(const char *text) {
  PoolName name = caller_of(__builtin_return_address(0));
  size_t size = strlen(text) + 1;
  char *copy = refuses(name) ? NULL : own(name, __libc_malloc(size));
  return copy ? memcpy(copy, text, size) : NULL;
}

/* ---- libcurl ---- */

static void *curl_malloc(size_t size) {
  return fails(POOL_CURL) ? NULL : count(POOL_CURL, __libc_malloc(size));
}

static void *curl_calloc(size_t number, size_t size) {
  return fails(POOL_CURL) ? NULL
                          : count(POOL_CURL, __libc_calloc(number, size));
}

static void *curl_realloc(void *block, size_t size) {
  void *moved = fails(POOL_CURL) ? NULL : __libc_realloc(block, size);
  return block ? moved : count(POOL_CURL, moved);
}

static void curl_give_back(void *block) {
  if (block)
    atomic_fetch_sub(&pools[POOL_CURL].held, 1);
  __libc_free(block);
}

static char *curl_strdup(const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = curl_malloc(size);
  return copy ? memcpy(copy, text, size) : NULL;
}

/* ---- SQLite ---- */

static sqlite3_mem_methods usual;

static void *sqlite_malloc(int size) {
  return fails(POOL_SQLITE) ? NULL : count(POOL_SQLITE, usual.xMalloc(size));
}

static void *sqlite_realloc(void *block, int size) {
  return fails(POOL_SQLITE) ? NULL : usual.xRealloc(block, size);
}

static void sqlite_give_back(void *block) {
  atomic_fetch_sub(&pools[POOL_SQLITE].held, 1);
  usual.xFree(block);
}

void pool_install(bool bare) {
  static sqlite3_mem_methods ours;
  sqlite3_config(SQLITE_CONFIG_GETMALLOC, &usual);
  ours = usual;
  ours.xMalloc = sqlite_malloc;
  ours.xRealloc = sqlite_realloc;
  ours.xFree = sqlite_give_back;
  sqlite3_config(SQLITE_CONFIG_MALLOC, &ours);
  sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0); /* all through malloc */
  if (bare)
    pool_claim(POOL_CURL, "libcurl.so.4");
  else
    curl_global_init_mem(CURL_GLOBAL_DEFAULT, curl_malloc, curl_give_back,
                         curl_realloc, curl_strdup, curl_calloc);
}
