#include "heap.h"

#include <stddef.h>
#include <stdint.h>

/* This CPython allocates objects with libc's malloc, a dlmalloc: best fit,
 * blocks in multiples of 16 bytes. */
void *malloc(size_t size);
void free(void *pointer);
void *memset(void *to, int byte, size_t size);

enum {
    STEP = 16,
    /* Holes up to here are used up; objects in larger ones are side by side. */
    SMALL = 4 << 10,
    LARGE = 256 << 10,
};

struct block {
    struct block *next;
};

/* Takes all free memory below the limit that is in holes of at least the given
 * size, in blocks of that size, and zeroes it. */
static struct block *
take_holes(size_t size, const char *limit, struct block *taken)
{
    for (;;) {
        struct block *block = malloc(size);
        if (block == NULL) {
            return taken;
        }
        if ((const char *)block > limit) {
            free(block);
            return taken;
        }
        memset(block, 0, size);
        block->next = taken;
        taken = block;
    }
}

void
heap_compact(void)
{
    /* The heap's end, or a hole large enough to be as good: what malloc finds
     * beyond it is no hole. */
    char *end = malloc(LARGE);
    if (end == NULL) {
        return;
    }
    memset(end, 0, LARGE);

    struct block *large = NULL;
    for (size_t size = LARGE; size > SMALL; size /= 2) {
        large = take_holes(size, end, large);
    }
    for (size_t size = SMALL; size >= STEP; size -= STEP) {
        /* Never freed again; the links would only be something to compress. */
        struct block *small = take_holes(size - STEP / 2, end, NULL);
        while (small != NULL) {
            struct block *next = small->next;
            small->next = NULL;
            small = next;
        }
    }
    while (large != NULL) {
        struct block *next = large->next;
        large->next = NULL;
        free(large);
        large = next;
    }
    free(end);
}
