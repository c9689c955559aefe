/* open, stat and their kin, in place of libc's.
 *
 * Some things are missing there. WASI has no error for a descriptor too many, so
 * that the host uses one that it has no other use for, which is EMFILE here.
 * WASI has no permissions, so that libc leaves a file's mode without any:
 * archives that a script makes would unpack to files that nobody can read. The
 * inode of a symbolic link is not that of its target, so that they are not the
 * same file. And an empty path is the working directory. */

#include <stddef.h>
#include <stdint.h>

/* The numbers and the beginning of a layout of libc's headers. */
enum { AT_FDCWD = -2, AT_SYMLINK_NOFOLLOW = 1 };
enum { EDQUOT = 19, EMFILE = 33, ENOENT = 44 };
enum { S_IFMT = 0170000, S_IFCHR = 0020000, S_IFDIR = 0040000, S_IFREG = 0100000, S_IFLNK = 0120000 };

struct stat {
    uint64_t device, inode, links;
    uint32_t mode;
};

struct operations {
    void *others[4];
    int (*stat)(void *file, struct stat *stat);
    int (*handle)(void *file, int32_t *handle);
};

struct reference {
    void *file;
    const struct operations *operations;
};

_Static_assert(offsetof(struct stat, mode) == 24, "layout of libc's struct stat");
_Static_assert(offsetof(struct operations, stat) == 16, "layout of libc's operations");
_Static_assert(offsetof(struct operations, handle) == 20, "layout of libc's operations");

struct reference *descriptor_table_get_ref(int descriptor);
int __wasilibc_open_nomode(const char *path, int flags);
int __wasilibc_nocwd_openat_nomode(int directory, const char *path, int flags);
int __wasilibc_find_relpath_alloc(const char *path, const char **prefix, char **relative, size_t *size, int grow);
int __wasilibc_nocwd_fstatat(int directory, const char *path, struct stat *stat, int flags);
void *opendirat(int directory, const char *path);
int *__errno_location(void);
size_t strlen(const char *text);

/* result<metadata-hash-value, error-code> */
struct hash_result {
    uint8_t failed;
    uint64_t lower, upper;
};

enum { SYMLINK_FOLLOW = 1 };

__attribute__((import_module("wasi:filesystem/types@0.2.0"),
               import_name("[method]descriptor.metadata-hash-at"))) extern void
metadata_hash_at(int32_t directory, int32_t flags, const char *path, size_t length, struct hash_result *result);

#define EXPORTED __attribute__((visibility("default")))

static void
explain(int failed)
{
    if (failed && *__errno_location() == EDQUOT) {
        *__errno_location() = EMFILE;
    }
}

static int
fail(int error)
{
    *__errno_location() = error;
    return -1;
}

EXPORTED int
open(const char *path, int flags, ...)
{
    if (path[0] == '\0') {
        return fail(ENOENT);
    }
    int descriptor = __wasilibc_open_nomode(path, flags);
    explain(descriptor < 0);
    return descriptor;
}

EXPORTED int
openat(int directory, const char *path, int flags, ...)
{
    if (directory == AT_FDCWD || path[0] == '/' || path[0] == '\0') {
        return open(path, flags);
    }
    int descriptor = __wasilibc_nocwd_openat_nomode(directory, path, flags);
    explain(descriptor < 0);
    return descriptor;
}

EXPORTED void *
opendir(const char *path)
{
    if (path[0] == '\0') {
        fail(ENOENT);
        return NULL;
    }
    void *stream = opendirat(AT_FDCWD, path);
    explain(stream == NULL);
    return stream;
}

/* What an umask of 022 leaves of what is usual. */
static int
permit(int result, struct stat *stat)
{
    if (result == 0) {
        switch (stat->mode & S_IFMT) {
        case S_IFREG:
            stat->mode |= 0644;
            break;
        case S_IFDIR:
            stat->mode |= 0755;
            break;
        case S_IFLNK:
            stat->mode |= 0777;
            break;
        case S_IFCHR:
            stat->mode |= 0666;
            break;
        }
    }
    return result;
}

EXPORTED int
fstat(int descriptor, struct stat *stat)
{
    struct reference *reference = descriptor_table_get_ref(descriptor);
    if (reference == NULL) {
        return -1; /* with EBADF */
    }
    return permit(reference->operations->stat(reference->file, stat), stat);
}

/* Gives stat the inode of what a link leads to, which libc asks for with the
 * flags of lstat. */
static void
follow(int directory, const char *path, struct stat *stat)
{
    struct reference *reference = descriptor_table_get_ref(directory);
    int32_t handle;
    if (reference == NULL || reference->operations->handle(reference->file, &handle) < 0) {
        return;
    }
    struct hash_result result;
    metadata_hash_at(handle, SYMLINK_FOLLOW, path, strlen(path), &result);
    if (!result.failed) {
        stat->inode = result.lower;
    }
}

EXPORTED int
fstatat(int directory, const char *path, struct stat *stat, int flags)
{
    if (path[0] == '\0') {
        return fail(ENOENT);
    }
    if (directory == AT_FDCWD || path[0] == '/') {
        static char *relative; /* grows as needed, and is kept */
        static size_t size;
        const char *prefix;
        directory = __wasilibc_find_relpath_alloc(path, &prefix, &relative, &size, 1);
        if (directory < 0) {
            return fail(ENOENT);
        }
        path = relative;
    }
    int result = permit(__wasilibc_nocwd_fstatat(directory, path, stat, flags), stat);
    if (result == 0 && (flags & AT_SYMLINK_NOFOLLOW) == 0) {
        follow(directory, path, stat);
    }
    return result;
}

EXPORTED int
stat(const char *path, struct stat *stat)
{
    return fstatat(AT_FDCWD, path, stat, 0);
}

EXPORTED int
lstat(const char *path, struct stat *stat)
{
    return fstatat(AT_FDCWD, path, stat, AT_SYMLINK_NOFOLLOW);
}
