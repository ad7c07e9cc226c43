/* The standard streams' numbers: see descriptors.h. */
#include "descriptors.h"

#include <fcntl.h>
#include <unistd.h>

/* With O_PATH it is a place in the file system and nothing else: reading and
 * writing fail with EBADF, as they do where the number is not in use. */
#ifndef O_PATH
#define O_PATH (O_RDONLY | O_DIRECTORY)
#endif

void descriptors_spare_standard(void) {
  for (int number = STDIN_FILENO; number <= STDERR_FILENO; number++) {
    int fd = -1;
    if (fcntl(number, F_GETFD) == -1)
      fd = open("/", O_PATH | O_CLOEXEC);
    if (fd > STDERR_FILENO) /* somebody else took the number meanwhile */
      close(fd);
  }
}
