package vfs

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
)

// errnos are the host's errors as reasons.
var errnos = map[syscall.Errno]Error{
	syscall.EACCES:       ErrAccess,
	syscall.EBADF:        ErrBadDescriptor,
	syscall.EBUSY:        ErrBusy,
	syscall.EDQUOT:       ErrNoSpace,
	syscall.EEXIST:       ErrExist,
	syscall.EFBIG:        ErrFileTooLarge,
	syscall.EILSEQ:       ErrIllegalSequence,
	syscall.EINVAL:       ErrInvalid,
	syscall.EISDIR:       ErrIsDirectory,
	syscall.ELOOP:        ErrLoop,
	syscall.EMFILE:       ErrTooManyOpen,
	syscall.EMLINK:       ErrNotPermitted,
	syscall.ENAMETOOLONG: ErrNameTooLong,
	syscall.ENFILE:       ErrTooManyOpen,
	syscall.ENOENT:       ErrNotExist,
	syscall.ENOSPC:       ErrNoSpace,
	syscall.ENOSYS:       ErrUnsupported,
	syscall.ENOTDIR:      ErrNotDirectory,
	syscall.ENOTEMPTY:    ErrNotEmpty,
	syscall.ENOTSUP:      ErrUnsupported,
	syscall.ENXIO:        ErrNotPermitted, // a pipe or device
	syscall.EOVERFLOW:    ErrOverflow,
	syscall.EPERM:        ErrNotPermitted,
	syscall.EROFS:        ErrReadOnly,
	syscall.ESTALE:       ErrNotExist,
	syscall.ETXTBSY:      ErrBusy,
	syscall.EXDEV:        ErrCrossDevice,
}

// fromHost gives the reason for an error of the host's, or of an fs.FS.
func fromHost(err error) error {
	if err == nil {
		return nil
	}
	var reason Error
	if errors.As(err, &reason) {
		return reason
	}
	var number syscall.Errno
	if errors.As(err, &number) {
		if reason, ok := errnos[number]; ok {
			return reason
		}
	}
	for _, known := range []struct {
		err    error
		reason Error
	}{
		{fs.ErrNotExist, ErrNotExist},
		{fs.ErrExist, ErrExist},
		{fs.ErrPermission, ErrAccess},
		{fs.ErrInvalid, ErrInvalid},
		{fs.ErrClosed, ErrBadDescriptor},
		{errors.ErrUnsupported, ErrUnsupported},
	} {
		if errors.Is(err, known.err) {
			return known.reason
		}
	}
	// os.Root has no error of a type of its own for what it is there to refuse.
	if strings.HasSuffix(err.Error(), "path escapes from parent") {
		return ErrNotPermitted
	}
	return ErrIO
}
