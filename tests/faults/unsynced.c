/* A disk that loses power: loaded before libc, it keeps beside the files of one folder what would
 * be on the disk if the power went now.
 *
 * FANLIGHT_DISK_ROOT is the folder, FANLIGHT_DISK_SHADOW what the disk has of it. A write reaches
 * the shadow when its file is synced, or earlier and in part, as a kernel may write back whatever it
 * likes: which, FANLIGHT_DISK_SEED draws. Names are durable at once: a file that was renamed without
 * a sync is there and lacks its content, which is what journalling file systems do.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define SECTOR 512
#define EARLY 4 /* one write in so many is written back before its sync */

struct op {
    struct op *next;
    char *path; /* below the root */
    off_t at;   /* where; the new length where there is no data */
    size_t size;
    unsigned char *data; /* NULL: the file was truncated */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct op *first, **last = &first;
static const char *root, *shadow;
static uint64_t chance;
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_write)(int, const void *, size_t);
static int (*real_fsync)(int), (*real_fdatasync)(int), (*real_ftruncate)(int, off_t);
static int (*real_rename)(const char *, const char *), (*real_unlink)(const char *);
static int (*real_linkat)(int, const char *, int, const char *, int);

__attribute__((constructor)) static void begin(void) {
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_write = dlsym(RTLD_NEXT, "write");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_rename = dlsym(RTLD_NEXT, "rename");
    real_unlink = dlsym(RTLD_NEXT, "unlink");
    real_linkat = dlsym(RTLD_NEXT, "linkat");
    const char *seed = getenv("FANLIGHT_DISK_SEED");
    chance = (seed ? strtoull(seed, NULL, 10) : 0) * 2 + 1;
    root = getenv("FANLIGHT_DISK_ROOT");
    shadow = getenv("FANLIGHT_DISK_SHADOW");
}

static uint64_t drawn(void) {
    chance ^= chance << 13, chance ^= chance >> 7, chance ^= chance << 17;
    return chance;
}

/* The path below the root, or NULL where it is another. */
static const char *below(const char *path) {
    size_t size = root ? strlen(root) : 0;
    return size && !strncmp(path, root, size) && path[size] == '/' ? path + size : NULL;
}

static const char *path_of(int fd, char *space) {
    char link[64];
    struct stat about;
    if (!root || fstat(fd, &about) || !S_ISREG(about.st_mode)) return NULL;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, space, PATH_MAX - 1);
    if (size < 0) return NULL;
    space[size] = 0;
    return below(space);
}

static void shadow_path(const char *path, char *space) {
    snprintf(space, PATH_MAX, "%s%s", shadow, path);
    for (char *at = space + strlen(shadow) + 1; (at = strchr(at, '/')); at++) {
        *at = 0;
        mkdir(space, 0700);
        *at = '/';
    }
}

static void apply(const struct op *op, off_t from, size_t size) {
    char space[PATH_MAX];
    shadow_path(op->path, space);
    int fd = open(space, O_WRONLY | O_CREAT, 0600);
    if (fd < 0) abort();
    if (op->data) {
        if (real_pwrite(fd, op->data + from, size, op->at + from) != (ssize_t)size) abort();
    } else if (real_ftruncate(fd, op->at)) abort();
    close(fd);
}

static void note(int fd, const void *data, size_t size, off_t at) {
    char space[PATH_MAX];
    int kept = errno;
    const char *path = path_of(fd, space);
    if (path) {
        struct op *op = calloc(1, sizeof *op);
        op->path = strdup(path), op->at = at, op->size = size;
        if (data) memcpy(op->data = malloc(size), data, size);
        pthread_mutex_lock(&lock);
        *last = op, last = &op->next;
        if (data && size && drawn() % EARLY == 0) {
            size_t sectors = (size + SECTOR - 1) / SECTOR, from = drawn() % sectors;
            size_t end = from + 1 + drawn() % (sectors - from);
            apply(op, from * SECTOR, (end * SECTOR < size ? end * SECTOR : size) - from * SECTOR);
        }
        pthread_mutex_unlock(&lock);
    }
    errno = kept;
}

static void synced(int fd) {
    char space[PATH_MAX];
    int kept = errno;
    const char *path = path_of(fd, space);
    if (path) {
        pthread_mutex_lock(&lock);
        struct op **at = &first;
        while (*at) {
            struct op *op = *at;
            if (strcmp(op->path, path)) {
                at = &op->next;
                continue;
            }
            apply(op, 0, op->size);
            *at = op->next;
            free(op->path), free(op->data), free(op);
        }
        last = at;
        pthread_mutex_unlock(&lock);
    }
    errno = kept;
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    ssize_t done = real_pwrite(fd, data, size, at);
    if (done > 0) note(fd, data, done, at);
    return done;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return pwrite64(fd, data, size, at); }

ssize_t write(int fd, const void *data, size_t size) {
    char space[PATH_MAX];
    int kept = errno;
    int ours = path_of(fd, space) != NULL;
    errno = kept;
    ssize_t done = real_write(fd, data, size);
    /* The position after the write is right for files that are appended to, too. */
    if (ours && done > 0) note(fd, data, done, lseek(fd, 0, SEEK_CUR) - done);
    return done;
}

int ftruncate64(int fd, off64_t size) {
    int failed = real_ftruncate(fd, size);
    if (!failed) note(fd, NULL, 0, size);
    return failed;
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

/* What the kernel syncs is at least what was noted before the call. */
int fsync(int fd) {
    int failed = real_fsync(fd);
    if (!failed) synced(fd);
    return failed;
}

int fdatasync(int fd) {
    int failed = real_fdatasync(fd);
    if (!failed) synced(fd);
    return failed;
}

int rename(const char *from, const char *to) {
    char full_from[PATH_MAX], full_to[PATH_MAX], before[PATH_MAX], after[PATH_MAX];
    int failed = real_rename(from, to);
    if (failed || !root || !realpath(to, full_to) || !below(full_to)) return failed;
    const char *name = strrchr(from, '/');
    snprintf(full_from, PATH_MAX, "%.*s/%s", (int)(strrchr(full_to, '/') - full_to), full_to,
             name ? name + 1 : from);
    shadow_path(below(full_from), before), shadow_path(below(full_to), after);
    pthread_mutex_lock(&lock);
    close(open(before, O_WRONLY | O_CREAT, 0600)); /* the name without what was not synced */
    real_rename(before, after);
    for (struct op *op = first; op; op = op->next)
        if (!strcmp(op->path, below(full_from))) free(op->path), op->path = strdup(below(full_to));
    pthread_mutex_unlock(&lock);
    return failed;
}

/* Two names of one file: what is synced by either is there by both. */
int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags) {
    char full_from[PATH_MAX], full_to[PATH_MAX], before[PATH_MAX], after[PATH_MAX];
    int failed = real_linkat(from_dir, from, to_dir, to, flags);
    if (failed || !root || from_dir != AT_FDCWD || to_dir != AT_FDCWD) return failed;
    if (!realpath(from, full_from) || !realpath(to, full_to) || !below(full_to)) return failed;
    shadow_path(below(full_from), before), shadow_path(below(full_to), after);
    pthread_mutex_lock(&lock);
    close(open(before, O_WRONLY | O_CREAT, 0600)); /* the name without what was not synced */
    if (real_linkat(AT_FDCWD, before, AT_FDCWD, after, 0) && errno != EEXIST) abort();
    pthread_mutex_unlock(&lock);
    return failed;
}

int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

int unlink(const char *path) {
    char full[PATH_MAX], gone[PATH_MAX];
    int ours = root && realpath(path, full) && below(full);
    int failed = real_unlink(path);
    if (failed || !ours) return failed;
    shadow_path(below(full), gone);
    pthread_mutex_lock(&lock);
    real_unlink(gone);
    for (struct op **at = &first; *at;) {
        struct op *op = *at;
        if (strcmp(op->path, below(full))) {
            at = &op->next;
            continue;
        }
        *at = op->next;
        free(op->path), free(op->data), free(op);
    }
    for (last = &first; *last;) last = &(*last)->next;
    pthread_mutex_unlock(&lock);
    return failed;
}
