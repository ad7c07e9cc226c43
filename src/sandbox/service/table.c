/*
 * A hash table from strings to pointers: chains, doubled when full.
 * Owns its buckets only; runs under the lock of whoever holds it.
 */
#include "table.h"

#include <stdlib.h>
#include <string.h>

enum { TABLE_FIRST = 64 };

static uint64_t hash_name(const char *name) {
  uint64_t hash = 14695981039346656037u; /* FNV-1a */
  for (; *name != '\0'; name++)
    hash = (hash ^ (unsigned char)*name) * 1099511628211u;
  return hash;
}

static bool table_grow(Table *table) {
  size_t size = table->size == 0 ? TABLE_FIRST : table->size * 2;
  Entry **buckets = calloc(size, sizeof *buckets);
  if (!buckets)
    return false;
  for (size_t i = 0; i < table->size; i++) {
    for (Entry *entry = table->buckets[i]; entry;) {
      Entry *next = entry->next;
      size_t at = (size_t)entry->hash & (size - 1);
      entry->next = buckets[at];
      buckets[at] = entry;
      entry = next;
    }
  }
  free(table->buckets);
  table->buckets = buckets;
  table->size = size;
  return true;
}

bool table_add(Table *table, Entry *entry, const char *name, void *value) {
  if (table->count >= table->size && !table_grow(table))
    return false;
  entry->name = name;
  entry->value = value;
  entry->hash = hash_name(name);
  size_t at = (size_t)entry->hash & (table->size - 1);
  entry->next = table->buckets[at];
  table->buckets[at] = entry;
  table->count++;
  return true;
}

void *table_find(const Table *table, const char *name) {
  if (table->size == 0)
    return NULL;
  uint64_t hash = hash_name(name);
  Entry *entry = table->buckets[hash & (table->size - 1)];
  for (; entry; entry = entry->next)
    if (entry->hash == hash && strcmp(entry->name, name) == 0)
      return entry->value;
  return NULL;
}

void table_free(Table *table) {
  free(table->buckets);
  *table = (Table){0};
}
