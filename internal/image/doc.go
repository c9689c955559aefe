// Package image is the read-only tree of files that a bundle carries: the
// standard library, site-packages, the support modules.
//
// An image is an ordinary zip file, so that any tool shows what is in it, and
// a canonical one: the same tree always gives the same bytes, whatever made
// it. Members are stored, never compressed, so that a file's content is a
// slice of the image and is read from the mapped bundle without a copy. They
// are ordered by directory and then by name, which makes the children of a
// directory neighbours in the zip's own index: opening an image is one pass
// over that index and needs no tables besides it, and looking up a name is a
// binary search.
//
// The layout, all of it fixed but names and contents:
//
//   - one local header per file or directory, in order, without gaps before,
//     between or after; general purpose flag 11 (names are UTF-8), method 0,
//     time 1980-01-01 00:00, no extra field;
//   - the central directory in the same order, no comments;
//   - the end record, no comment. No zip64: an image has at most 65,534
//     members and 4 GiB.
//
// Directories are members of their own, with a slash at the end, and precede
// what they contain; the root has none.
package image
