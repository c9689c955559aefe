/* read, write and lseek, in place of libc's.
 *
 * The libc of the base reads and writes files through streams that it opens at
 * the file's position and keeps. They go wrong: seeking to the end leaves a
 * stream where it was, so that the next write overwrites what is there; reading
 * and writing in turn use one position each; asking for the position of a file
 * that is open for appending moves it; and a stream cannot say why a write
 * failed, so that a full file system is EIO and then EPIPE. With offsets, as
 * here, all of that is as POSIX has it. What is no file is left to libc. */

#include <stddef.h>
#include <stdint.h>

#include "wait.h"

typedef int32_t ssize_t;

struct iovec {
    const void *base;
    size_t length;
};

/* These pass their first buffer on to libc's own read and write. */
ssize_t readv(int descriptor, const struct iovec *buffers, int count);
ssize_t writev(int descriptor, const struct iovec *buffers, int count);
ssize_t __real_pread(int descriptor, void *buffer, size_t size, int64_t offset);
ssize_t pwrite(int descriptor, const void *buffer, size_t size, int64_t offset);

/* What libc has behind a descriptor. The layouts are those of the base's libc,
 * which is always the same one, by its digest. */
struct file {
    int32_t handle;
    int64_t position;
    int32_t flags; /* of open() */
};

struct operations {
    void *others[6];
    /* Only files have it. SEEK_SET drops the streams, SEEK_END does not. */
    int64_t (*seek)(struct file *file, int64_t offset, int whence);
};

struct reference {
    struct file *file;
    const struct operations *operations;
};

struct reference *descriptor_table_get_ref(int descriptor);

int *__errno_location(void);

/* The numbers of libc's headers. */
enum { O_APPEND = 1 };
enum { SEEK_SET, SEEK_CUR, SEEK_END };
enum { EINTR = 27, EINVAL = 28, ESPIPE = 70 };

_Static_assert(offsetof(struct file, position) == 8 && offsetof(struct file, flags) == 16, "layout of libc's file");
_Static_assert(offsetof(struct operations, seek) == 24, "layout of libc's operations");

/* The file behind a descriptor, or NULL if there is none. */
static struct reference *
file_at(int descriptor)
{
    struct reference *reference = descriptor_table_get_ref(descriptor);
    return reference != NULL && reference->operations->seek != NULL ? reference : NULL;
}

/* Clears what the next function that is called has on the stack. */
static __attribute__((noinline)) void
clear_below(void)
{
    char below[64];
    __builtin_memset(below, 0, sizeof below);
    __asm__ volatile("" : : "r"(below) : "memory");
}

/* libc's copies and frees what the host has read, a list that there is none of
 * where reading failed: it would be whatever lay on the stack. An empty list is
 * neither copied nor freed. */
__attribute__((visibility("default"))) ssize_t
pread(int descriptor, void *buffer, size_t size, int64_t offset)
{
    clear_below();
    return __real_pread(descriptor, buffer, size, offset);
}

__attribute__((visibility("default"))) ssize_t
read(int descriptor, void *buffer, size_t size)
{
    struct reference *reference = file_at(descriptor);
    if (reference == NULL) {
        const struct iovec one = {buffer, size};
        static uint32_t interrupts; /* that have been told of */
        ssize_t count = readv(descriptor, &one, 1);
        if (count < 0 && wait_interrupts != interrupts) {
            interrupts = wait_interrupts;
            *__errno_location() = EINTR; /* the host gave an error to end the wait */
        }
        return count;
    }
    ssize_t count = pread(descriptor, buffer, size, reference->file->position);
    if (count > 0) {
        reference->file->position += count;
    }
    return count;
}

__attribute__((visibility("default"))) ssize_t
write(int descriptor, const void *buffer, size_t size)
{
    struct reference *reference = file_at(descriptor);
    if (reference == NULL) {
        const struct iovec one = {buffer, size};
        return writev(descriptor, &one, 1);
    }
    struct file *file = reference->file;
    if ((file->flags & O_APPEND) != 0 && reference->operations->seek(file, 0, SEEK_END) < 0) {
        return -1;
    }
    ssize_t count = pwrite(descriptor, buffer, size, file->position);
    if (count > 0) {
        file->position += count;
    }
    return count;
}

static int64_t
fail(int error)
{
    *__errno_location() = error;
    return -1;
}

__attribute__((visibility("default"))) int64_t
lseek(int descriptor, int64_t offset, int whence)
{
    struct reference *reference = descriptor_table_get_ref(descriptor);
    if (reference == NULL) {
        return -1; /* with EBADF */
    }
    if (reference->operations->seek == NULL) {
        return fail(ESPIPE);
    }
    struct file *file = reference->file;
    const int64_t before = file->position;
    int64_t from = 0;
    switch (whence) {
    case SEEK_SET:
        break;
    case SEEK_CUR:
        from = before;
        break;
    case SEEK_END:
        from = reference->operations->seek(file, 0, SEEK_END);
        file->position = before;
        if (from < 0) {
            return -1;
        }
        break;
    default:
        return fail(EINVAL);
    }
    int64_t position;
    if (__builtin_add_overflow(from, offset, &position) || position < 0) {
        return fail(EINVAL);
    }
    return position == before ? position : reference->operations->seek(file, position, SEEK_SET);
}

/* What libc's headers make of lseek(descriptor, 0, SEEK_CUR). */
__attribute__((visibility("default"))) int64_t
__wasilibc_tell(int descriptor)
{
    return lseek(descriptor, 0, SEEK_CUR);
}
