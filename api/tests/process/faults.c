/* Makes file operations fail in the process that this is preloaded into (LD_PRELOAD), as a control
 * file says that is shared with the test: real errors of real system calls, at a chosen moment.
 *
 *   byte 0       which operations: 1 write, 2 sync, 4 read; 0 is none
 *   byte 1       the errno
 *   byte 2       of which files: 1 the write-ahead log (-wal), 2 the database (.db)
 *   bytes 4-7    how many operations pass before the first that fails, native order
 *   bytes 8-11   how many have failed
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

enum { WRITE = 1, SYNC = 2, READ = 4 };

static volatile unsigned char *control;

__attribute__((constructor)) static void map_control(void) {
  const char *path = getenv("STEWARD_FAULTS");
  int fd = path ? open(path, O_RDWR) : -1;
  if (fd < 0) return;
  void *at = mmap(NULL, 16, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at != MAP_FAILED) control = at;
  close(fd);
}

static int ends_with(const char *text, const char *end) {
  size_t a = strlen(text), b = strlen(end);
  return a >= b && strcmp(text + a - b, end) == 0;
}

static int fails(int fd, int operation) {
  if (!control || !(control[0] & operation)) return 0;
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  int file = ends_with(path, "-wal") ? 1 : ends_with(path, ".db") ? 2 : 0;
  if (!(control[2] & file)) return 0;
  if (__sync_fetch_and_sub((volatile int32_t *)(control + 4), 1) > 0) return 0;
  __sync_fetch_and_add((volatile int32_t *)(control + 8), 1);
  errno = control[1];
  return 1;
}

#define REAL(name) \
  static __typeof__(&name) real; \
  if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *bytes, size_t count) {
  REAL(write);
  return fails(fd, WRITE) ? -1 : real(fd, bytes, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
  REAL(pwrite);
  return fails(fd, WRITE) ? -1 : real(fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
  REAL(pwrite64);
  return fails(fd, WRITE) ? -1 : real(fd, bytes, count, at);
}

ssize_t read(int fd, void *bytes, size_t count) {
  REAL(read);
  return fails(fd, READ) ? -1 : real(fd, bytes, count);
}

ssize_t pread(int fd, void *bytes, size_t count, off_t at) {
  REAL(pread);
  return fails(fd, READ) ? -1 : real(fd, bytes, count, at);
}

ssize_t pread64(int fd, void *bytes, size_t count, off64_t at) {
  REAL(pread64);
  return fails(fd, READ) ? -1 : real(fd, bytes, count, at);
}

int fsync(int fd) {
  REAL(fsync);
  return fails(fd, SYNC) ? -1 : real(fd);
}

int fdatasync(int fd) {
  REAL(fdatasync);
  return fails(fd, SYNC) ? -1 : real(fd);
}
