/*
 * Allocators that fail on command, one pool for each user of memory.
 *
 * Every allocation of a pool is counted while it is armed; the n-th fails, or
 * all from the n-th on.  What a pool holds is counted all the time.  Any
 * thread may allocate; arming and reading are for the main thread.
 */
#ifndef GPTIMAGE2_FAULTS_ALLOC_POOL_H
#define GPTIMAGE2_FAULTS_ALLOC_POOL_H

#include <stdbool.h>
#include <stddef.h>

typedef enum PoolName {
  POOL_LUA,    /* lua_newstate */
  POOL_ENGINE, /* malloc & co., called from core.so */
  POOL_CURL,   /* curl_global_init_mem */
  POOL_SQLITE, /* SQLITE_CONFIG_MALLOC */
  POOL_CJSON,  /* malloc & co., called from cjson.so: counted, never failed */
  POOLS
} PoolName;

typedef enum PoolMode {
  POOL_ONCE,    /* the n-th; in Lua its second try after a collection, too */
  POOL_EVER,    /* the n-th and all after it */
  POOL_COLLECT, /* the n-th, but not its second try: Lua only */
  POOL_NEVER    /* only count */
} PoolMode;

/* Sets the hooks of libcurl and SQLite.  With `bare` libcurl keeps its own and
 * is told from others by who calls malloc, so that its start can fail, too. */
void pool_install(bool bare);

/* malloc & co. called from the module at `path` belong to `name`. */
bool pool_claim(PoolName name, const char *path);

void pool_choose(PoolName name, PoolMode mode, long n);
void pool_arm(bool armed);

long pool_calls(PoolName name); /* while armed */
long pool_held(PoolName name);  /* blocks; POOL_LUA: bytes */
bool pool_fired(void);

/* For lua_newstate. */
void *pool_lua(void *user, void *block, size_t old_size, size_t new_size);

#endif
