/*
 * What a program writes and synchronizes, recorded in the order in which it happens, so that a test can
 * put the disk together as it would be if the power had failed at any moment. Loaded before libc:
 *
 *     LD_PRELOAD=recording-disk.so DISK_FOLDER=/data DISK_JOURNAL=/tmp/journal program
 *
 * Of files below DISK_FOLDER, but not of shared memory (-shm), which no disk keeps. A record is written
 * after what it says has been done: kind, length of the name, name, offset, length, bytes. Numbers have
 * the machine's order. (recorded-disk.ts)
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum kind { WRITTEN = 'w', SYNCED = 's', CUT = 't', REMOVED = 'u' };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int journal = -1;

static void put(const void *bytes, size_t length) {
  while (length > 0) {
    ssize_t done = write(journal, bytes, length);
    if (done <= 0) abort();
    bytes = (const char *)bytes + done;
    length -= (size_t)done;
  }
}

/* The name below the folder, or none if the file is not of those that a disk keeps. */
static const char *nameOf(const char *path) {
  const char *folder = getenv("DISK_FOLDER");
  size_t length = folder ? strlen(folder) : 0;
  if (!length || strncmp(path, folder, length) || path[length] != '/') return NULL;
  const char *name = path + length + 1;
  size_t rest = strlen(name);
  return rest > 4 && !strcmp(name + rest - 4, "-shm") ? NULL : name;
}

static void record(enum kind kind, const char *path, uint64_t offset, const void *bytes, uint32_t length) {
  const char *name = nameOf(path);
  if (!name) return;
  uint8_t head[2] = {(uint8_t)kind, (uint8_t)strlen(name)};
  pthread_mutex_lock(&lock);
  if (journal < 0) journal = open(getenv("DISK_JOURNAL"), O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (journal < 0) abort();
  put(head, sizeof head);
  put(name, head[1]);
  put(&offset, sizeof offset);
  put(&length, sizeof length);
  if (bytes) put(bytes, length);
  pthread_mutex_unlock(&lock);
}

static void recordOf(int file, enum kind kind, uint64_t offset, const void *bytes, uint32_t length) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t size = readlink(link, path, sizeof path - 1);
  if (size <= 0) return;
  path[size] = 0;
  record(kind, path, offset, bytes, length);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t offset) {
  ssize_t done = REAL(pwrite64)(file, bytes, length, offset);
  if (done > 0) recordOf(file, WRITTEN, (uint64_t)offset, bytes, (uint32_t)done);
  return done;
}

int fsync(int file) {
  int failed = REAL(fsync)(file);
  if (!failed) recordOf(file, SYNCED, 0, NULL, 0);
  return failed;
}

int fdatasync(int file) {
  int failed = REAL(fdatasync)(file);
  if (!failed) recordOf(file, SYNCED, 0, NULL, 0);
  return failed;
}

int ftruncate64(int file, off64_t length) {
  int failed = REAL(ftruncate64)(file, length);
  if (!failed) recordOf(file, CUT, (uint64_t)length, NULL, 0);
  return failed;
}

int unlink(const char *path) {
  int failed = REAL(unlink)(path);
  if (!failed) record(REMOVED, path, 0, NULL, 0);
  return failed;
}
