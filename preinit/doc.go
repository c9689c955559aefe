// Package preinit starts Python, runs imports and takes the image of its
// memory that sandboxes begin with.
//
// After the imports the guest's linear memory, one global (the stack pointer;
// the other counts fuel) and the numbers of the host handles that its libc
// keeps are its whole state. [Run] takes all three, and refuses what they
// cannot hold: an open file or socket, a task that has not ended.
//
// The same inputs give the same bytes. So the guest sees a world in which
// everything is fixed: clocks that move by themselves, the output of a cipher
// for randomness, no environment. What must differ between sandboxes again is
// the support modules' matter (eryx_support.restore).
//
// [CompileTree] byte-compiles Python sources in the guest, since only the
// guest is a Python of the right version.
package preinit
