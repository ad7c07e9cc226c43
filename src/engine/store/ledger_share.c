/* Several processes on one ledger: see ledger_share.h. */
#include "ledger_share.h"

#include "engine/base/clock.h"
#include "engine/base/platform.h"
#include "engine/files/file_lock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* SQLite locks the 512 bytes from 0x40000000.  All of these fit into 31 bits.
 */
#define SPENDER 0x60000000
#define GATE 0x60000001
#define NAMES 0x60100000
#define NAMES_COUNT 0x100000
#define WORKERS 0x70000000
#define WORKERS_MASK 0xfffffff

#define DRAWS 16  /* of a number: nearly all are free */
#define PAUSE 2e6 /* nanoseconds between two looks at the gate */

bool ledger_share_can(int fd) {
  int error = file_lock_look(fd, GATE, 1);
  return (error == 0 || error == EAGAIN) && platform_is_local(fd);
}

int ledger_share_enter_gate(int fd, int milliseconds) {
  static const struct timespec pause = {.tv_nsec = (long)PAUSE};
  double limit = clock_monotonic() + milliseconds / 1e3;
  int error = file_lock(fd, F_WRLCK, GATE, 1);
  while (error == EAGAIN && clock_monotonic() < limit) {
    nanosleep(&pause, NULL);
    error = file_lock(fd, F_WRLCK, GATE, 1);
  }
  return error;
}

void ledger_share_leave_gate(int fd) {
  file_lock(fd, F_UNLCK, GATE, 1);
}

int ledger_share_spend_alone(int fd) {
  return file_lock(fd, F_WRLCK, SPENDER, 1);
}

int ledger_share_spend(int fd) {
  return file_lock(fd, F_RDLCK, SPENDER, 1);
}

bool ledger_share_is_last(int fd) {
  return file_lock_look(fd, SPENDER, 1) == 0;
}

void ledger_share_leave(int fd) {
  file_lock(fd, F_UNLCK, SPENDER, 0);
}

/* ---- names ---- */

/* FNV-1a; numbers as wide as they may be in another build. */
static uint64_t mix(uint64_t hash, const void *bytes, size_t size) {
  const unsigned char *byte = bytes;
  for (size_t i = 0; i < size; i++)
    hash = (hash ^ byte[i]) * 0x100000001b3U;
  return hash;
}

static uint64_t mix_number(uint64_t hash, uint64_t number) {
  return mix(hash, &number, sizeof number);
}

/* Which byte tells this path; an errno where its folder cannot be seen. */
static int place_of(const char *path, off_t *place) {
  const char *name = strrchr(path, '/') + 1; /* it is absolute */
  char *folder = strndup(path, (size_t)(name - path));
  struct stat info;
  uint64_t hash = 0xcbf29ce484222325U;
  int error = folder ? 0 : ENOMEM;
  if (folder && stat(folder, &info) != 0)
    error = errno;
  free(folder);
  if (error != 0)
    return error;
  hash = mix_number(hash, info.st_dev);
  hash = mix_number(hash, info.st_ino);
  hash = mix(hash, name, strlen(name));
  *place = NAMES + (off_t)((hash ^ hash >> 32) % NAMES_COUNT);
  return 0;
}

int ledger_share_tell_name(int fd, const char *path) {
  off_t place;
  int error = place_of(path, &place);
  if (error == 0 && place > NAMES)
    error = file_lock_look(fd, NAMES, place - NAMES);
  if (error == 0 && place + 1 < NAMES + NAMES_COUNT)
    error = file_lock_look(fd, place + 1, NAMES + NAMES_COUNT - place - 1);
  return error == 0 ? file_lock(fd, F_RDLCK, place, 1) : error;
}

/* ---- workers ---- */

int ledger_share_draw(int fd, uint32_t *worker) {
  int error = EAGAIN;
  for (int i = 0; i < DRAWS && error == EAGAIN; i++) {
    if (!platform_random(worker, sizeof *worker))
      return ENOSYS;
    *worker &= WORKERS_MASK;
    error = file_lock(fd, F_WRLCK, WORKERS + (off_t)*worker, 1);
  }
  return error;
}

void ledger_share_name_worker(uint32_t worker, char name[LEDGER_WORKER_MAX]) {
  snprintf(name, LEDGER_WORKER_MAX, "%07x", (unsigned)worker & WORKERS_MASK);
}

bool ledger_share_is_alive(int fd, const char *name) {
  unsigned long worker;
  if (strlen(name) != LEDGER_WORKER_MAX - 1 ||
      strspn(name, "0123456789abcdef") != LEDGER_WORKER_MAX - 1)
    return false;
  worker = strtoul(name, NULL, 16);
  return file_lock_look(fd, WORKERS + (off_t)worker, 1) != 0;
}
