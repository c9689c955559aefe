/* read, pread, write and lseek, in place of libc's.
 *
 * The libc of the base reads and writes files through streams that it opens at
 * the file's position and keeps. They go wrong: seeking to the end leaves a
 * stream where it was, so that the next write overwrites what is there; reading
 * and writing in turn use one position each; asking for the position of a file
 * that is open for appending moves it; and a stream cannot say why a write
 * failed, so that a full file system is EIO and then EPIPE. With offsets, as
 * here, all of that is as POSIX has it. What is no file is left to libc. Its pread
 * uses what it was not given where the host gives an error. */

#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "wait.h"

typedef int32_t ssize_t;

struct iovec {
    const void *base;
    size_t length;
};

/* These pass their first buffer on to libc's own read and write. */
ssize_t readv(int descriptor, const struct iovec *buffers, int count);
ssize_t writev(int descriptor, const struct iovec *buffers, int count);
ssize_t pwrite(int descriptor, const void *buffer, size_t size, int64_t offset);

/* What libc has behind a descriptor. The layouts are those of the base's libc,
 * which is always the same one, by its digest. */
struct file {
    int32_t handle;
    int64_t position;
    int32_t flags; /* of open() */
};

struct operations {
    void *others[5];
    int (*get_handle)(struct file *file, int32_t *handle);
    /* Only files have it. SEEK_SET drops the streams, SEEK_END does not. */
    int64_t (*seek)(struct file *file, int64_t offset, int whence);
    void *more_others[10];
    /* Only sockets have these. */
    ssize_t (*recvfrom)(struct file *socket, void *buffer, size_t size, int flags, void *address, uint32_t *length);
    ssize_t (*sendto)(struct file *socket, const void *buffer, size_t size, int flags, const void *address, uint32_t length);
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
enum { EINTR = 27, EINVAL = 28, EIO = 29, ESPIPE = 70 };

/* The errno for each case of wasi:filesystem's error-code. */
static const uint8_t errors[] = {
    2, 6, 7, 8, 10, 16, 19, 20, 22, 25, 26, 27, 28, 29, 31, 32, 34, 35, 37, 43, 44, 46, 48, 51, 54, 55, 56, 58, 59, 60,
    61, 63, 64, 69, 70, 74, 75,
};

/* result<tuple<list<u8>, bool>, error-code> */
struct read_result {
    uint8_t failed;
    union {
        struct text bytes;
        uint8_t error;
    };
    uint8_t ended;
};

_Static_assert(sizeof(struct read_result) == 16, "result of reading");

__attribute__((import_module("wasi:filesystem/types@0.2.0"), import_name("[method]descriptor.read"))) extern void
file_read(int32_t file, uint64_t size, uint64_t offset, struct read_result *result);

_Static_assert(offsetof(struct file, position) == 8 && offsetof(struct file, flags) == 16, "layout of libc's file");
_Static_assert(offsetof(struct operations, seek) == 24, "layout of libc's operations");
_Static_assert(offsetof(struct operations, recvfrom) == 68, "layout of libc's operations");

static bool
is_file(const struct reference *reference)
{
    return reference != NULL && reference->operations->seek != NULL;
}

static bool
is_socket(const struct reference *reference)
{
    return reference != NULL && reference->operations->recvfrom != NULL;
}

static int64_t
fail(int error)
{
    *__errno_location() = error;
    return -1;
}

__attribute__((visibility("default"))) ssize_t
pread(int descriptor, void *buffer, size_t size, int64_t offset)
{
    struct reference *reference = descriptor_table_get_ref(descriptor);
    if (reference == NULL) {
        return -1; /* with EBADF */
    }
    if (offset < 0) {
        return (ssize_t)fail(EINVAL);
    }
    if (reference->operations->get_handle == NULL) {
        return (ssize_t)fail(ESPIPE);
    }
    int32_t handle;
    if (reference->operations->get_handle(reference->file, &handle) < 0) {
        return -1;
    }
    struct read_result result;
    abi_reserve(buffer, size);
    file_read(handle, size, (uint64_t)offset, &result);
    abi_reserve(NULL, 0);
    if (result.failed) {
        return (ssize_t)fail(result.error < sizeof errors ? errors[result.error] : EIO);
    }
    return (ssize_t)result.bytes.length;
}

/* Reads into the first buffer only, as a short read may. */
__attribute__((visibility("default"))) ssize_t
preadv(int descriptor, const struct iovec *buffers, int count, int64_t offset)
{
    for (int i = 0; i < count; i++) {
        if (buffers[i].length > 0) {
            return pread(descriptor, (void *)buffers[i].base, buffers[i].length, offset);
        }
    }
    return count < 0 ? (ssize_t)fail(EINVAL) : pread(descriptor, NULL, 0, offset);
}

__attribute__((visibility("default"))) ssize_t
read(int descriptor, void *buffer, size_t size)
{
    struct reference *reference = descriptor_table_get_ref(descriptor);
    if (is_socket(reference)) {
        return reference->operations->recvfrom(reference->file, buffer, size, 0, NULL, NULL);
    }
    if (!is_file(reference)) {
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
    struct reference *reference = descriptor_table_get_ref(descriptor);
    if (is_socket(reference)) {
        return reference->operations->sendto(reference->file, buffer, size, 0, NULL, 0);
    }
    if (!is_file(reference)) {
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
