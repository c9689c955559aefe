/* The state of the heap in an image. */
#ifndef ERYX_HEAP_H
#define ERYX_HEAP_H

/* Uses up the holes that freed objects have left between those that stay, so
 * that a sandbox's own objects lie side by side on few pages instead of
 * scattered over hundreds: each page that is written to becomes a private copy.
 * The holes are zeroed, which makes the image compress better. */
void heap_compact(void);

#endif
