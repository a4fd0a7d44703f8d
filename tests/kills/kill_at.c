/* Loaded before the C library (LD_PRELOAD): counts what a process does to files, and kills it at the N-th time.
 *
 * What is added to a file can also be cut: half of it is done before the kill. Not so blocks of a database,
 * which DuckDB writes again in place: the kernel takes a block of 16 KB whole, but for a failure of power.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long counted;
static atomic_long kill_at = -1; /* -1: count nothing */
static int cut_write;

void begin_to_count(long at, int cut) {
    counted = 0;
    cut_write = cut;
    kill_at = at;
}

long calls(void) { return counted; }

static int is_last(void) {
    return kill_at >= 0 && atomic_fetch_add(&counted, 1) + 1 == kill_at;
}

static void end(void) {
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

#define REAL(type, name, types) \
    static type(*real) types; \
    if (!real) \
        real = (type(*) types)dlsym(RTLD_NEXT, #name)

#define COUNTED(type, name, types, ...) \
    type name types { \
        REAL(type, name, types); \
        if (is_last()) \
            end(); \
        return real(__VA_ARGS__); \
    }

ssize_t write(int file, const void *from, size_t count) {
    REAL(ssize_t, write, (int, const void *, size_t));
    if (is_last()) {
        if (cut_write && count > 1)
            real(file, from, count / 2);
        end();
    }
    return real(file, from, count);
}

COUNTED(ssize_t, pwrite, (int file, const void *from, size_t count, off_t at), file, from, count, at)
COUNTED(ssize_t, pwrite64, (int file, const void *from, size_t count, off_t at), file, from, count, at)
COUNTED(int, fsync, (int file), file)
COUNTED(int, fdatasync, (int file), file)
COUNTED(int, ftruncate, (int file, off_t size), file, size)
COUNTED(int, ftruncate64, (int file, off_t size), file, size)
COUNTED(int, flock, (int file, int how), file, how)
COUNTED(int, rename, (const char *old, const char *new), old, new)
COUNTED(int, renameat, (int at, const char *old, int to, const char *new), at, old, to, new)
COUNTED(int, link, (const char *old, const char *new), old, new)
COUNTED(int, linkat, (int at, const char *old, int to, const char *new, int how), at, old, to, new, how)
COUNTED(int, unlink, (const char *name), name)
COUNTED(int, unlinkat, (int at, const char *name, int how), at, name, how)
COUNTED(int, mkdir, (const char *name, mode_t mode), name, mode)
COUNTED(int, rmdir, (const char *name), name)
