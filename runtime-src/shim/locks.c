/* Locks of files, for SQLite.
 *
 * libc has none, so that the SQLite of the base locks a database by making a
 * directory beside it: nobody reads while somebody writes, and who is ended in the
 * middle of a transaction leaves the directory behind. It has the usual way as
 * well, by fcntl, but not as the way that it takes unless told. Here fcntl locks,
 * by the host, and that way is the usual one again. */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "python.h"

#define LOCKS(name) __attribute__((import_module("eryx:sandbox/locks@0.1.0"), import_name(name)))

LOCKS("lock-file") extern int32_t lock_file(int32_t file, int32_t kind, uint64_t start, uint64_t length);
LOCKS("test-lock") extern int32_t test_lock(int32_t file, int32_t kind, uint64_t start, uint64_t length);

enum { GRANTED, REFUSED, FAILED };

/* What SQLite calls these where libc's headers do not. The kinds are those of the
 * host's enum. */
enum { F_GETLK = 12, F_SETLK = 13 };
enum { F_RDLCK, F_WRLCK, F_UNLCK };
struct flock {
    int16_t type, whence;
    int64_t start, length;
    int32_t process;
};
enum { SEEK_SET };

enum { EAGAIN = 6, EINVAL = 28, ENOLCK = 46 };

struct operations {
    void *others[5];
    int (*handle)(void *file, int32_t *handle);
};

struct reference {
    void *file;
    const struct operations *operations;
};

_Static_assert(offsetof(struct operations, handle) == 20, "layout of libc's operations");

struct reference *descriptor_table_get_ref(int descriptor);
int __real_fcntl(int descriptor, int command, ...);
int *__errno_location(void);

#define EXPORTED __attribute__((visibility("default")))

static int
fail(int error)
{
    *__errno_location() = error;
    return -1;
}

static int
lock(int descriptor, struct flock *lock, bool test)
{
    if (lock->whence != SEEK_SET || lock->start < 0 || lock->length < 0 || (uint16_t)lock->type > F_UNLCK) {
        return fail(EINVAL);
    }
    struct reference *reference = descriptor_table_get_ref(descriptor);
    int32_t handle;
    if (reference == NULL || reference->operations->handle == NULL ||
        reference->operations->handle(reference->file, &handle) < 0) {
        return -1; /* with the reason */
    }
    const uint64_t start = (uint64_t)lock->start, length = (uint64_t)lock->length;
    switch (test ? test_lock(handle, lock->type, start, length) : lock_file(handle, lock->type, start, length)) {
    case GRANTED:
        if (test) {
            lock->type = F_UNLCK;
        }
        return 0;
    case REFUSED:
        if (test) {
            lock->type = F_WRLCK;
            return 0;
        }
        return fail(EAGAIN);
    }
    return fail(ENOLCK);
}

EXPORTED int
fcntl(int descriptor, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    int result;
    if (command == F_GETLK || command == F_SETLK) {
        result = lock(descriptor, va_arg(arguments, struct flock *), command == F_GETLK);
    } else {
        result = __real_fcntl(descriptor, command, va_arg(arguments, int));
    }
    va_end(arguments);
    return result;
}

/* The beginning of what is SQLite's own. */
struct sqlite3_vfs {
    int version, file_size, longest_path;
    struct sqlite3_vfs *next;
    const char *name;
    void *data, *functions[16];
};

int sqlite3_vfs_register(struct sqlite3_vfs *vfs, int as_default);
PyObject *__real_PyInit__sqlite3(void);
int strcmp(const char *a, const char *b);

/* Makes a copy of the way that is called "unix" the one that databases are opened
 * by, unless they name another one. */
static void
lock_as_usual(void)
{
    static struct sqlite3_vfs vfs = { .version = 1, .longest_path = 1, .name = "unix-fcntl" };
    if (vfs.data != NULL || sqlite3_vfs_register(&vfs, 1) != 0) {
        return;
    }
    for (struct sqlite3_vfs *other = vfs.next; other != NULL; other = other->next) {
        if (strcmp(other->name, "unix") == 0) {
            struct sqlite3_vfs *next = vfs.next;
            const char *name = vfs.name;
            vfs = *other;
            vfs.next = next;
            vfs.name = name;
            return;
        }
    }
}

EXPORTED PyObject *
PyInit__sqlite3(void)
{
    lock_as_usual();
    return __real_PyInit__sqlite3();
}
