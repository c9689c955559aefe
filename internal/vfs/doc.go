// Package vfs is the file system that a guest sees: one tree in memory, with
// read-only images mounted in it.
//
// There is nothing behind the tree. A path is resolved by walking from one of
// its nodes to the next, so what a guest can name is what the tree holds, and
// neither "..", symbolic links nor renames lead anywhere else. Semantics are
// POSIX's as Linux implements them, without users and permissions: files that
// were unlinked live until their last handle is closed, directories that were
// removed refuse new entries, a rename replaces its target in one step.
//
// Sizes are charged to a quota when they are given, not when memory is used:
// a hole costs as much as data. So the file system's memory stays within about
// twice its quota, and so does whatever reads a file into memory as a whole.
//
// A file system belongs to one sandbox and is made in about a microsecond: it
// begins with a few empty directories and /dev/null, and mounting an image is one entry,
// since an image's nodes are indexes into it.
//
// Two kinds of timestamp differ from what a disk does. Reading does not change
// access times. And a directory's modification time moves by a microsecond at
// least whenever an entry is added or removed, even if the clock stands still,
// because import systems take it as the version of the directory's listing.
package vfs
