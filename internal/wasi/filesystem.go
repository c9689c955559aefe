package wasi

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/eryx-build/eryx/internal/abi"
	"github.com/eryx-build/eryx/internal/vfs"
	"github.com/eryx-build/eryx/internal/wasi/bindings"
)

// preopenPath is the directory that the guest begins with: all of the tree.
const preopenPath = "/"

const originPreopen = "preopen:" + preopenPath

// descriptor is the resource descriptor of wasi:filesystem.
type descriptor struct {
	file *vfs.Handle
	from string // origin
}

func (*descriptor) resource() string   { return "descriptor" }
func (d *descriptor) origin() string   { return d.from }
func (d *descriptor) describe() string { return describe(d.file) }
func (d *descriptor) drop()            { d.file.Close() }

// describe names an open file, e.g. "the file /tmp/x".
func describe(file *vfs.Handle) string {
	what := "the file "
	if info, err := file.Info(); err == nil && info.Kind == vfs.Directory {
		what = "the directory "
	}
	return what + file.Path()
}

// preopen is the preopened directory that an origin names, or nil.
func (h *Host) preopen(origin string) *descriptor {
	if h.fs == nil || origin != originPreopen {
		return nil
	}
	return &descriptor{file: h.fs.Root(), from: originPreopen}
}

// GetDirectories implements wasi:filesystem/preopens.
func (h *Host) GetDirectories(context.Context) ([]abi.Tuple2[bindings.Descriptor, string], error) {
	root := h.preopen(originPreopen)
	if root == nil {
		return nil, nil
	}
	handle, err := insert[bindings.Descriptor](h, root)
	if err != nil {
		root.drop()
		return nil, err
	}
	return []abi.Tuple2[bindings.Descriptor, string]{{F0: handle, F1: preopenPath}}, nil
}

// errorCodes are the file system's errors as the guest gets them.
var errorCodes = [...]bindings.FilesystemErrorCode{
	vfs.ErrBadDescriptor:   bindings.FilesystemErrorCodeBadDescriptor,
	vfs.ErrBusy:            bindings.FilesystemErrorCodeBusy,
	vfs.ErrCrossDevice:     bindings.FilesystemErrorCodeCrossDevice,
	vfs.ErrExist:           bindings.FilesystemErrorCodeExist,
	vfs.ErrFileTooLarge:    bindings.FilesystemErrorCodeFileTooLarge,
	vfs.ErrIllegalSequence: bindings.FilesystemErrorCodeIllegalByteSequence,
	vfs.ErrInvalid:         bindings.FilesystemErrorCodeInvalid,
	vfs.ErrIsDirectory:     bindings.FilesystemErrorCodeIsDirectory,
	vfs.ErrLoop:            bindings.FilesystemErrorCodeLoop,
	vfs.ErrNameTooLong:     bindings.FilesystemErrorCodeNameTooLong,
	vfs.ErrNoSpace:         bindings.FilesystemErrorCodeInsufficientSpace,
	vfs.ErrNotDirectory:    bindings.FilesystemErrorCodeNotDirectory,
	vfs.ErrNotEmpty:        bindings.FilesystemErrorCodeNotEmpty,
	vfs.ErrNotExist:        bindings.FilesystemErrorCodeNoEntry,
	vfs.ErrNotPermitted:    bindings.FilesystemErrorCodeNotPermitted,
	vfs.ErrOverflow:        bindings.FilesystemErrorCodeOverflow,
	vfs.ErrReadOnly:        bindings.FilesystemErrorCodeReadOnly,
	vfs.ErrAccess:          bindings.FilesystemErrorCodeAccess,
	vfs.ErrIO:              bindings.FilesystemErrorCodeIO,
	vfs.ErrUnsupported:     bindings.FilesystemErrorCodeUnsupported,
	vfs.ErrTooManyOpen:     noDescriptor,
}

// errorCode is the code for an error of the file system, if it is one.
func errorCode(err error) (bindings.FilesystemErrorCode, bool) {
	var reason vfs.Error
	if !errors.As(err, &reason) || int(reason) >= len(errorCodes) {
		return 0, false
	}
	return errorCodes[reason], true
}

// fileError makes an error of the file system the guest's result. Others, such
// as the use of a wrong handle, end the guest.
func fileError(err error) error {
	if err == nil {
		return nil
	}
	if code, ok := errorCode(err); ok {
		return code
	}
	return err
}

// noDescriptor is the result of a function that would give one descriptor or
// handle too many. WASI has no code for it; the guest's libc makes EMFILE of
// this one, which the file system never gives.
const noDescriptor = bindings.FilesystemErrorCodeQuota

// descriptor is the open file or directory that a handle stands for.
func (h *Host) descriptor(self bindings.Descriptor) (*vfs.Handle, error) {
	d, err := lookup[*descriptor](h, self)
	if err != nil {
		return nil, err
	}
	return d.file, nil
}

// FilesystemErrorCode implements wasi:filesystem/types.
func (h *Host) FilesystemErrorCode(_ context.Context, failure bindings.Error) (abi.Option[bindings.FilesystemErrorCode], error) {
	e, err := lookup[*ioError](h, failure)
	if err != nil {
		return abi.Option[bindings.FilesystemErrorCode]{}, err
	}
	code, ok := errorCode(e.err)
	return abi.Option[bindings.FilesystemErrorCode]{Value: code, Valid: ok}, nil
}

// DropDescriptor implements wasi:filesystem/types.
func (h *Host) DropDescriptor(_ context.Context, self bindings.Descriptor) error {
	return drop[*descriptor](h, self)
}

// DescriptorAdvise implements wasi:filesystem/types. Advice changes nothing.
func (h *Host) DescriptorAdvise(_ context.Context, self bindings.Descriptor, _, _ uint64, _ bindings.Advice) error {
	_, err := h.descriptor(self)
	return err
}

// DescriptorSync implements wasi:filesystem/types.
func (h *Host) DescriptorSync(_ context.Context, self bindings.Descriptor) error {
	file, err := h.descriptor(self)
	if err != nil {
		return err
	}
	return fileError(file.Sync())
}

// DescriptorSyncData implements wasi:filesystem/types.
func (h *Host) DescriptorSyncData(ctx context.Context, self bindings.Descriptor) error {
	return h.DescriptorSync(ctx, self)
}

// DescriptorGetFlags implements wasi:filesystem/types.
func (h *Host) DescriptorGetFlags(_ context.Context, self bindings.Descriptor) (bindings.DescriptorFlags, error) {
	file, err := h.descriptor(self)
	if err != nil {
		return 0, err
	}
	info, err := file.Info()
	if err != nil {
		return 0, fileError(err)
	}
	var flags bindings.DescriptorFlags
	if file.Access()&vfs.Read != 0 {
		flags |= bindings.DescriptorFlagsRead
	}
	if file.Access()&vfs.Write != 0 {
		flags |= bindings.DescriptorFlagsWrite
	}
	if info.Kind == vfs.Directory {
		flags |= bindings.DescriptorFlagsMutateDirectory
	}
	return flags, nil
}

// DescriptorGetType implements wasi:filesystem/types.
func (h *Host) DescriptorGetType(_ context.Context, self bindings.Descriptor) (bindings.DescriptorType, error) {
	file, err := h.descriptor(self)
	if err != nil {
		return 0, err
	}
	info, err := file.Info()
	return descriptorType(info.Kind), fileError(err)
}

// DescriptorStat implements wasi:filesystem/types.
func (h *Host) DescriptorStat(_ context.Context, self bindings.Descriptor) (bindings.DescriptorStat, error) {
	file, err := h.descriptor(self)
	if err != nil {
		return bindings.DescriptorStat{}, err
	}
	info, err := file.Info()
	return descriptorStat(info), fileError(err)
}

// DescriptorMetadataHash implements wasi:filesystem/types.
func (h *Host) DescriptorMetadataHash(_ context.Context, self bindings.Descriptor) (bindings.MetadataHashValue, error) {
	file, err := h.descriptor(self)
	if err != nil {
		return bindings.MetadataHashValue{}, err
	}
	info, err := file.Info()
	return metadataHash(info), fileError(err)
}

// metadataHash identifies a file. Guests take it for the inode number, so it
// is that, and does not change with the file's content as WASI suggests.
func metadataHash(info vfs.Info) bindings.MetadataHashValue {
	return bindings.MetadataHashValue{Lower: info.ID}
}

// DescriptorIsSameObject implements wasi:filesystem/types.
func (h *Host) DescriptorIsSameObject(_ context.Context, self, other bindings.Descriptor) (bool, error) {
	a, err := h.descriptor(self)
	if err != nil {
		return false, err
	}
	b, err := h.descriptor(other)
	if err != nil {
		return false, err
	}
	return a.Same(b), nil
}

// DescriptorSetTimes implements wasi:filesystem/types.
func (h *Host) DescriptorSetTimes(_ context.Context, self bindings.Descriptor, accessed, modified bindings.NewTimestamp) error {
	file, err := h.descriptor(self)
	if err != nil {
		return err
	}
	times, err := h.times(accessed, modified)
	if err == nil {
		err = file.SetTimes(times)
	}
	return fileError(err)
}

// times converts what the guest gives for set-times.
func (h *Host) times(accessed, modified bindings.NewTimestamp) (vfs.Times, error) {
	now := h.fs.Now()
	var times vfs.Times
	for _, t := range []struct {
		from bindings.NewTimestamp
		to   **time.Time
	}{{accessed, &times.Accessed}, {modified, &times.Modified}} {
		switch t.from.Case {
		case bindings.NewTimestampNow:
			*t.to = &now
		case bindings.NewTimestampTimestamp:
			at := t.from.Timestamp
			if at.Nanoseconds >= 1e9 {
				return vfs.Times{}, vfs.ErrInvalid
			}
			if at.Seconds > math.MaxInt64/uint64(time.Second) {
				return vfs.Times{}, vfs.ErrOverflow
			}
			given := time.Unix(int64(at.Seconds), int64(at.Nanoseconds))
			*t.to = &given
		}
	}
	return times, nil
}

func descriptorType(kind vfs.Kind) bindings.DescriptorType {
	switch kind {
	case vfs.Directory:
		return bindings.DescriptorTypeDirectory
	case vfs.Symlink:
		return bindings.DescriptorTypeSymbolicLink
	case vfs.Device:
		return bindings.DescriptorTypeCharacterDevice
	case vfs.Special:
		return bindings.DescriptorTypeUnknown
	}
	return bindings.DescriptorTypeRegularFile
}

func descriptorStat(info vfs.Info) bindings.DescriptorStat {
	return bindings.DescriptorStat{
		Type:                      descriptorType(info.Kind),
		LinkCount:                 info.Links,
		Size:                      uint64(info.Size),
		DataAccessTimestamp:       abi.Some(datetime(info.Accessed)),
		DataModificationTimestamp: abi.Some(datetime(info.Modified)),
		StatusChangeTimestamp:     abi.Some(datetime(info.Changed)),
	}
}

// datetime converts a time; what is before 1970 WASI cannot express.
func datetime(t time.Time) bindings.Datetime {
	if t.Unix() < 0 {
		return bindings.Datetime{}
	}
	return bindings.Datetime{Seconds: uint64(t.Unix()), Nanoseconds: uint32(t.Nanosecond())}
}
