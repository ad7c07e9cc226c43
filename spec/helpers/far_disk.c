/*
 * A file system that comes over a network, by LD_PRELOAD: each says that it is
 * NFS.  Its locks stay real.
 */
#undef _FILE_OFFSET_BITS /* it would make the one name the other */
#include <stddef.h>
#include <sys/vfs.h>

#define NFS 0x6969

__attribute__((visibility("default"))) int fstatfs(int fd,
                                                   struct statfs *about) {
  (void)fd;
  *about = (struct statfs){.f_type = NFS};
  return 0;
}

__attribute__((visibility("default"))) int fstatfs64(int fd,
                                                     struct statfs64 *about) {
  (void)fd;
  *about = (struct statfs64){.f_type = NFS};
  return 0;
}
