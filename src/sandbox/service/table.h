/*
 * A hash table from strings to pointers. The entries belong to their owners
 * (they are embedded in jobs and keys); the table owns only its buckets.
 * No threads: whoever holds the table holds its lock.
 */
#ifndef GPTIMAGE2_SANDBOX_TABLE_H
#define GPTIMAGE2_SANDBOX_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Entry {
  struct Entry *next;
  const char *name; /* lives as long as the entry */
  void *value;
  uint64_t hash;
} Entry;

typedef struct Table {
  Entry **buckets;
  size_t size; /* buckets, a power of two, or 0 before the first entry */
  size_t count;
} Table;

/* Adds `entry` under `name`, which must not be there yet. False: no memory. */
bool table_add(Table *table, Entry *entry, const char *name, void *value);

/* The value under `name`, or NULL. */
void *table_find(const Table *table, const char *name);

/* Frees the buckets; the entries stay with their owners. */
void table_free(Table *table);

#endif
