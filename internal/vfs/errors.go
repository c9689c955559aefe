package vfs

import (
	"io/fs"
	"strconv"
)

// Error is the reason why an operation failed. The zero value is no error and
// is never returned as one.
type Error uint8

// The reasons, by their POSIX names where they have one.
const (
	ErrBadDescriptor   Error = iota + 1 // EBADF
	ErrBusy                             // EBUSY
	ErrCrossDevice                      // EXDEV
	ErrExist                            // EEXIST
	ErrFileTooLarge                     // EFBIG
	ErrIllegalSequence                  // EILSEQ: a name is not UTF-8
	ErrInvalid                          // EINVAL
	ErrIsDirectory                      // EISDIR
	ErrLoop                             // ELOOP
	ErrNameTooLong                      // ENAMETOOLONG
	ErrNoSpace                          // ENOSPC: the quota is used up
	ErrNotDirectory                     // ENOTDIR
	ErrNotEmpty                         // ENOTEMPTY
	ErrNotExist                         // ENOENT
	ErrNotPermitted                     // EPERM: among others, a path that leaves its base
	ErrOverflow                         // EOVERFLOW
	ErrReadOnly                         // EROFS
	ErrAccess                           // EACCES: the host refused
	ErrIO                               // EIO: something outside failed
	ErrUnsupported                      // ENOTSUP
	ErrTooManyOpen                      // EMFILE
)

var errorTexts = [...]string{
	ErrBadDescriptor:   "bad file descriptor",
	ErrBusy:            "device or resource busy",
	ErrCrossDevice:     "invalid cross-device link",
	ErrExist:           "file exists",
	ErrFileTooLarge:    "file too large",
	ErrIllegalSequence: "the name is not UTF-8",
	ErrInvalid:         "invalid argument",
	ErrIsDirectory:     "is a directory",
	ErrLoop:            "too many levels of symbolic links",
	ErrNameTooLong:     "file name too long",
	ErrNoSpace:         "no space left in the file system's quota",
	ErrNotDirectory:    "not a directory",
	ErrNotEmpty:        "directory not empty",
	ErrNotExist:        "no such file or directory",
	ErrNotPermitted:    "operation not permitted",
	ErrOverflow:        "value too large",
	ErrReadOnly:        "read-only file system",
	ErrAccess:          "permission denied",
	ErrIO:              "input/output error",
	ErrUnsupported:     "operation not supported",
	ErrTooManyOpen:     "too many open files",
}

func (e Error) Error() string {
	if int(e) < len(errorTexts) && e != 0 {
		return errorTexts[e]
	}
	return "file system error " + strconv.Itoa(int(e))
}

// Is makes the errors of package io/fs match.
func (e Error) Is(target error) bool {
	switch target {
	case fs.ErrNotExist:
		return e == ErrNotExist
	case fs.ErrExist:
		return e == ErrExist || e == ErrNotEmpty
	case fs.ErrPermission:
		return e == ErrNotPermitted || e == ErrReadOnly || e == ErrAccess
	case fs.ErrInvalid:
		return e == ErrInvalid
	case fs.ErrClosed:
		return e == ErrBadDescriptor
	}
	return false
}
