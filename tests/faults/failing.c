/* A disk that fails for a while: loaded before libc, it refuses what is written below one folder.
 *
 * FANLIGHT_DISK_ROOT is the folder, FANLIGHT_DISK_FAULT a file that says in what way it fails now:
 * "ERRNO WRITES SYNCS EVERY", each a number: the error, whether writes and syncs meet it, and that
 * one call in EVERY does. Without the file all is well. A write that meets ENOSPC is cut short
 * first, as on a disk that is nearly full.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *root, *control;
static atomic_uint calls;
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_write)(int, const void *, size_t);
static int (*real_fsync)(int), (*real_fdatasync)(int), (*real_ftruncate)(int, off_t);
static int (*real_fallocate)(int, off_t, off_t);

__attribute__((constructor)) static void begin(void) {
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_write = dlsym(RTLD_NEXT, "write");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_fallocate = dlsym(RTLD_NEXT, "posix_fallocate64");
    root = getenv("FANLIGHT_DISK_ROOT");
    control = getenv("FANLIGHT_DISK_FAULT");
}

static int is_below(int fd) {
    char link[64], path[PATH_MAX];
    struct stat about;
    size_t length = root ? strlen(root) : 0;
    if (!length || fstat(fd, &about) || !S_ISREG(about.st_mode)) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, PATH_MAX - 1);
    if (size < 0) return 0;
    path[size] = 0;
    return !strncmp(path, root, length) && path[length] == '/';
}

/* The error that this call meets; 0 for none. */
static int met(int fd, int is_sync) {
    char said[64] = "";
    int kept = errno, error = 0, writes = 0, syncs = 0;
    unsigned every = 1;
    int file = control ? open(control, O_RDONLY | O_CLOEXEC) : -1;
    if (file >= 0) {
        if (read(file, said, sizeof said - 1) < 0) said[0] = 0;
        close(file);
    }
    errno = kept;
    if (sscanf(said, "%d %d %d %u", &error, &writes, &syncs, &every) != 4) return 0;
    if (!(is_sync ? syncs : writes) || !every || !is_below(fd)) error = 0;
    errno = kept;
    return error && atomic_fetch_add(&calls, 1) % every == 0 ? error : 0;
}

static int refused(int error) {
    errno = error;
    return -1;
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    int error = met(fd, 0);
    if (error == ENOSPC && size > 512) return real_pwrite(fd, data, 512, at);
    return error ? refused(error) : real_pwrite(fd, data, size, at);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return pwrite64(fd, data, size, at); }

ssize_t write(int fd, const void *data, size_t size) {
    int error = met(fd, 0);
    return error ? refused(error) : real_write(fd, data, size);
}

int ftruncate64(int fd, off64_t size) {
    int error = met(fd, 0);
    return error ? refused(error) : real_ftruncate(fd, size);
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

/* It gives its error, and leaves errno alone. */
int posix_fallocate64(int fd, off64_t at, off64_t size) {
    int error = met(fd, 0);
    return error ? error : real_fallocate(fd, at, size);
}

int posix_fallocate(int fd, off_t at, off_t size) { return posix_fallocate64(fd, at, size); }

int fsync(int fd) {
    int error = met(fd, 1);
    return error ? refused(error) : real_fsync(fd);
}

int fdatasync(int fd) {
    int error = met(fd, 1);
    return error ? refused(error) : real_fdatasync(fd);
}
