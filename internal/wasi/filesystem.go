package wasi

import (
	"context"
	"errors"

	"github.com/eryx-build/eryx/internal/abi"
	"github.com/eryx-build/eryx/internal/wasi/bindings"
)

// descriptor is the resource descriptor.
type descriptor struct{}

func (*descriptor) resource() string { return "descriptor" }
func (*descriptor) origin() string   { return "" }
func (*descriptor) describe() string { return "a file" }
func (*descriptor) drop()            {}

// preopen is the preopened directory that an origin names, or nil.
func (h *Host) preopen(string) *descriptor { return nil }

// GetDirectories implements wasi:filesystem/preopens.
func (h *Host) GetDirectories(context.Context) ([]abi.Tuple2[bindings.Descriptor, string], error) {
	return nil, nil
}

// DescriptorReadViaStream implements wasi:filesystem/types.
func (h *Host) DescriptorReadViaStream(_ context.Context, self bindings.Descriptor, _ uint64) (bindings.InputStream, error) {
	return 0, h.none(uint32(self), "descriptor")
}

// DescriptorWriteViaStream implements wasi:filesystem/types.
func (h *Host) DescriptorWriteViaStream(_ context.Context, self bindings.Descriptor, _ uint64) (bindings.OutputStream, error) {
	return 0, h.none(uint32(self), "descriptor")
}

// DescriptorAppendViaStream implements wasi:filesystem/types.
func (h *Host) DescriptorAppendViaStream(_ context.Context, self bindings.Descriptor) (bindings.OutputStream, error) {
	return 0, h.none(uint32(self), "descriptor")
}

// DescriptorAdvise implements wasi:filesystem/types.
func (h *Host) DescriptorAdvise(_ context.Context, self bindings.Descriptor, _ uint64, _ uint64, _ bindings.Advice) error {
	return h.none(uint32(self), "descriptor")
}

// DescriptorSyncData implements wasi:filesystem/types.
func (h *Host) DescriptorSyncData(_ context.Context, self bindings.Descriptor) error {
	return h.none(uint32(self), "descriptor")
}

// DescriptorGetFlags implements wasi:filesystem/types.
func (h *Host) DescriptorGetFlags(_ context.Context, self bindings.Descriptor) (bindings.DescriptorFlags, error) {
	return 0, h.none(uint32(self), "descriptor")
}

// DescriptorGetType implements wasi:filesystem/types.
func (h *Host) DescriptorGetType(_ context.Context, self bindings.Descriptor) (bindings.DescriptorType, error) {
	return 0, h.none(uint32(self), "descriptor")
}

// DescriptorSetSize implements wasi:filesystem/types.
func (h *Host) DescriptorSetSize(_ context.Context, self bindings.Descriptor, _ uint64) error {
	return h.none(uint32(self), "descriptor")
}

// DescriptorSetTimes implements wasi:filesystem/types.
func (h *Host) DescriptorSetTimes(_ context.Context, self bindings.Descriptor, _ bindings.NewTimestamp, _ bindings.NewTimestamp) error {
	return h.none(uint32(self), "descriptor")
}

// DescriptorRead implements wasi:filesystem/types.
func (h *Host) DescriptorRead(_ context.Context, self bindings.Descriptor, _ uint64, _ uint64) (abi.Tuple2[[]byte, bool], error) {
	return abi.Tuple2[[]byte, bool]{}, h.none(uint32(self), "descriptor")
}

// DescriptorWrite implements wasi:filesystem/types.
func (h *Host) DescriptorWrite(_ context.Context, self bindings.Descriptor, _ []byte, _ uint64) (uint64, error) {
	return 0, h.none(uint32(self), "descriptor")
}

// DescriptorReadDirectory implements wasi:filesystem/types.
func (h *Host) DescriptorReadDirectory(_ context.Context, self bindings.Descriptor) (bindings.DirectoryEntryStream, error) {
	return 0, h.none(uint32(self), "descriptor")
}

// DescriptorSync implements wasi:filesystem/types.
func (h *Host) DescriptorSync(_ context.Context, self bindings.Descriptor) error {
	return h.none(uint32(self), "descriptor")
}

// DescriptorCreateDirectoryAt implements wasi:filesystem/types.
func (h *Host) DescriptorCreateDirectoryAt(_ context.Context, self bindings.Descriptor, _ string) error {
	return h.none(uint32(self), "descriptor")
}

// DescriptorStat implements wasi:filesystem/types.
func (h *Host) DescriptorStat(_ context.Context, self bindings.Descriptor) (bindings.DescriptorStat, error) {
	return bindings.DescriptorStat{}, h.none(uint32(self), "descriptor")
}

// DescriptorStatAt implements wasi:filesystem/types.
func (h *Host) DescriptorStatAt(_ context.Context, self bindings.Descriptor, _ bindings.PathFlags, _ string) (bindings.DescriptorStat, error) {
	return bindings.DescriptorStat{}, h.none(uint32(self), "descriptor")
}

// DescriptorSetTimesAt implements wasi:filesystem/types.
func (h *Host) DescriptorSetTimesAt(_ context.Context, self bindings.Descriptor, _ bindings.PathFlags, _ string, _ bindings.NewTimestamp, _ bindings.NewTimestamp) error {
	return h.none(uint32(self), "descriptor")
}

// DescriptorLinkAt implements wasi:filesystem/types.
func (h *Host) DescriptorLinkAt(_ context.Context, self bindings.Descriptor, _ bindings.PathFlags, _ string, _ bindings.Descriptor, _ string) error {
	return h.none(uint32(self), "descriptor")
}

// DescriptorOpenAt implements wasi:filesystem/types.
func (h *Host) DescriptorOpenAt(_ context.Context, self bindings.Descriptor, _ bindings.PathFlags, _ string, _ bindings.OpenFlags, _ bindings.DescriptorFlags) (bindings.Descriptor, error) {
	return 0, h.none(uint32(self), "descriptor")
}

// DescriptorReadlinkAt implements wasi:filesystem/types.
func (h *Host) DescriptorReadlinkAt(_ context.Context, self bindings.Descriptor, _ string) (string, error) {
	return "", h.none(uint32(self), "descriptor")
}

// DescriptorRemoveDirectoryAt implements wasi:filesystem/types.
func (h *Host) DescriptorRemoveDirectoryAt(_ context.Context, self bindings.Descriptor, _ string) error {
	return h.none(uint32(self), "descriptor")
}

// DescriptorRenameAt implements wasi:filesystem/types.
func (h *Host) DescriptorRenameAt(_ context.Context, self bindings.Descriptor, _ string, _ bindings.Descriptor, _ string) error {
	return h.none(uint32(self), "descriptor")
}

// DescriptorSymlinkAt implements wasi:filesystem/types.
func (h *Host) DescriptorSymlinkAt(_ context.Context, self bindings.Descriptor, _ string, _ string) error {
	return h.none(uint32(self), "descriptor")
}

// DescriptorUnlinkFileAt implements wasi:filesystem/types.
func (h *Host) DescriptorUnlinkFileAt(_ context.Context, self bindings.Descriptor, _ string) error {
	return h.none(uint32(self), "descriptor")
}

// DescriptorIsSameObject implements wasi:filesystem/types.
func (h *Host) DescriptorIsSameObject(_ context.Context, self bindings.Descriptor, _ bindings.Descriptor) (bool, error) {
	return false, h.none(uint32(self), "descriptor")
}

// DescriptorMetadataHash implements wasi:filesystem/types.
func (h *Host) DescriptorMetadataHash(_ context.Context, self bindings.Descriptor) (bindings.MetadataHashValue, error) {
	return bindings.MetadataHashValue{}, h.none(uint32(self), "descriptor")
}

// DescriptorMetadataHashAt implements wasi:filesystem/types.
func (h *Host) DescriptorMetadataHashAt(_ context.Context, self bindings.Descriptor, _ bindings.PathFlags, _ string) (bindings.MetadataHashValue, error) {
	return bindings.MetadataHashValue{}, h.none(uint32(self), "descriptor")
}

// DirectoryEntryStreamReadDirectoryEntry implements wasi:filesystem/types.
func (h *Host) DirectoryEntryStreamReadDirectoryEntry(_ context.Context, self bindings.DirectoryEntryStream) (abi.Option[bindings.DirectoryEntry], error) {
	return abi.Option[bindings.DirectoryEntry]{}, h.none(uint32(self), "directory-entry-stream")
}

// FilesystemErrorCode implements wasi:filesystem/types.
func (h *Host) FilesystemErrorCode(_ context.Context, failure bindings.Error) (abi.Option[bindings.FilesystemErrorCode], error) {
	e, err := lookup[*ioError](h, failure)
	if err != nil {
		return abi.Option[bindings.FilesystemErrorCode]{}, err
	}
	if code, ok := errors.AsType[bindings.FilesystemErrorCode](e.err); ok {
		return abi.Some(code), nil
	}
	return abi.Option[bindings.FilesystemErrorCode]{}, nil
}

// DropDescriptor implements wasi:filesystem/types.
func (h *Host) DropDescriptor(_ context.Context, self bindings.Descriptor) error {
	return h.none(uint32(self), "descriptor")
}

// DropDirectoryEntryStream implements wasi:filesystem/types.
func (h *Host) DropDirectoryEntryStream(_ context.Context, self bindings.DirectoryEntryStream) error {
	return h.none(uint32(self), "directory-entry-stream")
}
