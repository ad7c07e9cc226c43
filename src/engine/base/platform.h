/*
 * What systems do in ways of their own: the best that each has, and beside it
 * one that POSIX has.  Nothing above may know on which system it is.
 *
 * With GPTIMAGE2_POSIX defined Linux takes the POSIX ways, too, so that they
 * can be tested where this is developed.  Any thread.
 */
#ifndef GPTIMAGE2_ENGINE_PLATFORM_H
#define GPTIMAGE2_ENGINE_PLATFORM_H

#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

/* A pipe of which neither end blocks or is inherited: fds[0] is read from.
 * False: no descriptor. */
bool platform_pipe(int fds[2]);

/* socket(), not inherited by the programs that the host starts. */
int platform_socket(int family, int type, int protocol);

/* The descriptor does not block, and writing to a socket whose peer has gone
 * raises no signal: flags for send(). */
bool platform_never_block(int fd);
int platform_send_flags(int fd);

/* Up to 256 bytes that nobody can guess, without a descriptor.  False: the
 * system has none. */
bool platform_random(void *bytes, size_t size);

/* Overwrites what must not stay in memory. */
void platform_wipe(void *bytes, size_t size);

/* memmem: where `wanted` begins in `bytes`, or NULL. */
void *platform_find(const void *bytes, size_t size, const void *wanted,
                    size_t wanted_size);

/* Names the calling thread, for top, gdb and perf. */
void platform_name_thread(const char *name);

/* Whether this program has more rights than who started it. */
bool platform_is_privileged(void);

/* The library with this variable in it is not unloaded any more, where the
 * linker was not told so. */
void platform_stay_loaded(const void *variable);

/* Takes the signal of the set that is pending for this thread. */
void platform_take_signal(const sigset_t *set);

/* When the file was last changed. */
struct timespec platform_changed_at(const struct stat *info);

/* A condition whose waits end by the monotonic clock (seconds). */
void platform_condition_init(pthread_cond_t *condition);
void platform_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock,
                         double until);

/* What is started with these actions begins in that folder: 0 or an errno;
 * ENOSYS where there is no such action. */
int platform_spawn_in(posix_spawn_file_actions_t *actions, const char *folder);

/* What is started with these actions has no descriptor but the standard ones,
 * also of those that a library of the host's left open to it: 0 or an errno.
 * Where there is no such action nothing changes. */
int platform_spawn_alone(posix_spawn_file_actions_t *actions);

/* ---- files ---- */

/* fsync(), down to the disk itself. */
int platform_sync(int fd);

/* Whether writing of so many bytes from `from` on was begun, for a sync to come
 * that finds less to do. */
bool platform_start_write(int fd, int64_t from, int64_t size);

/* Whether the programs of this machine alone have the file before them, and all
 * of them the same: its locks and shared memory hold between them.  False for
 * what comes over a network or through a program of its own, and where the
 * system cannot tell. */
bool platform_is_local(int fd);

/* Whether the file is mounted by itself: what lies beside it where it really is
 * cannot be seen then.  False where the system cannot tell. */
bool platform_is_mounted(int fd);

/* rename() inside of a folder that replaces nothing: 0, or -1 with errno;
 * ENOSYS where there is no such call. */
int platform_rename_new(int folder, const char *from, const char *to);

#endif
