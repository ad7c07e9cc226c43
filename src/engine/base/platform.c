/* What systems do in ways of their own: see platform.h. */
#include "platform.h"

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__linux__) && !defined(GPTIMAGE2_POSIX)
#define LINUX
#include <sys/auxv.h>
#include <sys/vfs.h>
#endif
#ifdef __APPLE__
#include <dlfcn.h>
#include <sys/random.h>
#endif
#ifdef GPTIMAGE2_POSIX /* of 2024: these headers show an older one's */
int getentropy(void *bytes, size_t size);
#endif

/* Systems whose libraries have these calls since long. */
#if (defined(__FreeBSD__) || defined(__OpenBSD__) || defined(__NetBSD__)) &&   \
    !defined(GPTIMAGE2_POSIX)
#define BSD_LIKE
#endif

/* ---- descriptors ---- */

#if !defined(LINUX) && !defined(BSD_LIKE)
static bool close_on_exec(int fd) {
  return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}
#endif

bool platform_never_block(int fd) {
  int flags = fcntl(fd, F_GETFL);
  return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

bool platform_pipe(int fds[2]) {
#if defined(LINUX) || defined(BSD_LIKE)
  return pipe2(fds, O_CLOEXEC | O_NONBLOCK) == 0;
#else
  if (pipe(fds) != 0)
    return false;
  if (close_on_exec(fds[0]) && close_on_exec(fds[1]) &&
      platform_never_block(fds[0]) && platform_never_block(fds[1]))
    return true;
  close(fds[0]);
  close(fds[1]);
  return false;
#endif
}

int platform_socket(int family, int type, int protocol) {
#if defined(LINUX) || defined(BSD_LIKE)
  return socket(family, type | SOCK_CLOEXEC, protocol);
#else
  int fd = socket(family, type, protocol);
  if (fd >= 0)
    close_on_exec(fd);
  return fd;
#endif
}

int platform_send_flags(int fd) {
#ifdef SO_NOSIGPIPE
  int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#else
  (void)fd;
#endif
#ifdef MSG_NOSIGNAL
  return MSG_NOSIGNAL;
#else
  return 0;
#endif
}

/* ---- programs ---- */

int platform_spawn_in(posix_spawn_file_actions_t *actions, const char *folder) {
#if defined(LINUX) || defined(__APPLE__)
  return posix_spawn_file_actions_addchdir_np(actions, folder);
#else
  (void)actions;
  (void)folder;
  return ENOSYS;
#endif
}

int platform_spawn_alone(posix_spawn_file_actions_t *actions) {
#if defined(LINUX) && defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
  return posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
#else
  (void)actions;
  return 0;
#endif
}

/* ---- bytes ---- */

bool platform_random(void *bytes, size_t size) {
  return getentropy(bytes, size) == 0;
}

void platform_wipe(void *bytes, size_t size) {
#if defined(LINUX) || defined(__FreeBSD__) || defined(__OpenBSD__)
  explicit_bzero(bytes, size);
#else
  /* Nobody may leave out what is written through it. */
  volatile unsigned char *at = bytes;
  while (size-- > 0)
    *at++ = 0;
#endif
}

void *platform_find(const void *bytes, size_t size, const void *wanted,
                    size_t wanted_size) {
#if defined(LINUX) || defined(BSD_LIKE) || defined(__APPLE__)
  return memmem(bytes, size, wanted, wanted_size);
#else
  const unsigned char *at = bytes;
  const unsigned char *first = wanted;
  if (wanted_size == 0)
    return (void *)bytes;
  while (size >= wanted_size) {
    const unsigned char *found = memchr(at, *first, size - wanted_size + 1);
    if (!found || memcmp(found, wanted, wanted_size) == 0)
      return (void *)found;
    size -= (size_t)(found + 1 - at);
    at = found + 1;
  }
  return NULL;
#endif
}

/* ---- the process and its threads ---- */

void platform_name_thread(const char *name) {
#if defined(LINUX) || defined(__FreeBSD__)
  pthread_setname_np(pthread_self(), name);
#elif defined(__APPLE__)
  pthread_setname_np(name);
#else
  (void)name;
#endif
}

bool platform_is_privileged(void) {
#ifdef LINUX
  return getauxval(AT_SECURE) != 0; /* capabilities, too */
#elif defined(BSD_LIKE) || defined(__APPLE__)
  return issetugid() != 0;
#else
  return getuid() != geteuid() || getgid() != getegid();
#endif
}

void platform_stay_loaded(const void *variable) {
#ifdef __APPLE__ /* elsewhere the linker has -z nodelete */
  Dl_info info;
  if (dladdr(variable, &info))
    dlopen(info.dli_fname, RTLD_NOW | RTLD_NODELETE);
#else
  (void)variable;
#endif
}

void platform_take_signal(const sigset_t *set) {
#if defined(__APPLE__) || defined(__OpenBSD__)
  int taken;
  sigwait(set, &taken);
#else
  static const struct timespec at_once = {0};
  while (sigtimedwait(set, NULL, &at_once) < 0 && errno == EINTR)
    continue;
#endif
}

struct timespec platform_changed_at(const struct stat *info) {
#ifdef __APPLE__
  return info->st_mtimespec;
#else
  return info->st_mtim;
#endif
}

void platform_condition_init(pthread_cond_t *condition) {
#ifdef __APPLE__ /* which waits for a time from now on */
  pthread_cond_init(condition, NULL);
#else
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(condition, &attributes);
  pthread_condattr_destroy(&attributes);
#endif
}

void platform_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock,
                         double until) {
  struct timespec time;
#ifdef __APPLE__
  until = fmax(0, until - clock_monotonic());
#endif
  time.tv_sec = (time_t)until;
  time.tv_nsec = (long)((until - floor(until)) * 1e9);
#ifdef __APPLE__
  pthread_cond_timedwait_relative_np(condition, lock, &time);
#else
  pthread_cond_timedwait(condition, lock, &time);
#endif
}

/* ---- files ---- */

int platform_sync(int fd) {
#ifdef F_FULLFSYNC /* fsync() only hands it to the disk, which may keep it */
  if (fcntl(fd, F_FULLFSYNC) == 0)
    return 0;
#endif
  return fsync(fd);
}

bool platform_start_write(int fd, int64_t from, int64_t size) {
#ifdef LINUX
  return sync_file_range(fd, from, size, SYNC_FILE_RANGE_WRITE) == 0;
#else
  (void)fd, (void)from, (void)size;
  return false;
#endif
}

#ifdef LINUX
/* As linux/magic.h and the file systems' own sources have them. */
static bool is_remote(unsigned long type) {
  static const unsigned long remote[] = {
      0x6969,     /* NFS */
      0x517b,     /* SMB */
      0xff534d42, /* CIFS */
      0xfe534d42, /* SMB 2 and later */
      0x01021997, /* 9p, as WSL and virtual machines have it */
      0x65735546, /* FUSE: sshfs, virtiofs, Docker on a Mac ... */
      0x5346414f, /* AFS */
      0x6b414653, /* AFS of the kernel's own */
      0x73757245, /* Coda */
      0x00c36400, /* Ceph */
      0x0bd00bd0, /* Lustre */
      0x47504653, /* GPFS */
      0x7461636f, /* OCFS2 */
      0x01161970, /* GFS2 */
      0x786f4256, /* folders of VirtualBox */
      0xbacbacbc, /* those of VMware */
      0x20030528, /* OrangeFS */
  };
  for (size_t i = 0; i < sizeof remote / sizeof *remote; i++)
    if (remote[i] == type)
      return true;
  return false;
}
#endif

bool platform_is_local(int fd) {
#ifdef LINUX
  struct statfs about;
  return fstatfs(fd, &about) == 0 &&
         !is_remote((unsigned long)about.f_type & 0xffffffffUL);
#else
  (void)fd;
  return false;
#endif
}

bool platform_is_mounted(int fd) {
#if defined(LINUX) && defined(STATX_ATTR_MOUNT_ROOT) /* Linux 5.8 */
  struct statx about;
  return statx(fd, "", AT_EMPTY_PATH, 0, &about) == 0 &&
         (about.stx_attributes & about.stx_attributes_mask &
          STATX_ATTR_MOUNT_ROOT);
#else
  (void)fd;
  return false;
#endif
}

int platform_rename_new(int folder, const char *from, const char *to) {
#if defined(LINUX) && defined(RENAME_NOREPLACE)
  return renameat2(folder, from, folder, to, RENAME_NOREPLACE);
#elif defined(__APPLE__) && defined(RENAME_EXCL)
  return renameatx_np(folder, from, folder, to, RENAME_EXCL);
#else
  (void)folder, (void)from, (void)to;
  errno = ENOSYS;
  return -1;
#endif
}
