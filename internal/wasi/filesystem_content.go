package wasi

import (
	"context"
	"errors"
	"io"
	"math"

	"github.com/eryx-build/eryx/internal/abi"
	"github.com/eryx-build/eryx/internal/vfs"
	"github.com/eryx-build/eryx/internal/wasi/bindings"
)

// DescriptorRead implements wasi:filesystem/types. It reads at most 1 MiB.
func (h *Host) DescriptorRead(_ context.Context, self bindings.Descriptor, length, offset uint64) (abi.Tuple2[[]byte, bool], error) {
	var result abi.Tuple2[[]byte, bool]
	file, err := h.descriptor(self)
	if err != nil {
		return result, err
	}
	result.F0, result.F1, err = file.Bytes(int64(min(offset, math.MaxInt64)), int(min(length, maxRead)))
	return result, fileError(err)
}

// DescriptorWrite implements wasi:filesystem/types.
func (h *Host) DescriptorWrite(_ context.Context, self bindings.Descriptor, p []byte, offset uint64) (uint64, error) {
	file, err := h.descriptor(self)
	if err != nil {
		return 0, err
	}
	n, err := file.WriteAt(p, int64(min(offset, math.MaxInt64)))
	return uint64(n), fileError(err)
}

// DescriptorSetSize implements wasi:filesystem/types.
func (h *Host) DescriptorSetSize(_ context.Context, self bindings.Descriptor, size uint64) error {
	file, err := h.descriptor(self)
	if err != nil {
		return err
	}
	return fileError(file.SetSize(int64(min(size, math.MaxInt64))))
}

// stream gives a second handle of a file, for a stream to have, once it is
// sure that the file may be used that way.
func (h *Host) stream(self bindings.Descriptor, access vfs.Access) (*vfs.Handle, error) {
	file, err := h.descriptor(self)
	if err != nil {
		return nil, err
	}
	info, err := file.Info()
	switch {
	case err != nil:
		return nil, fileError(err)
	case info.Kind == vfs.Directory:
		return nil, bindings.FilesystemErrorCodeIsDirectory
	case file.Access()&access == 0:
		return nil, bindings.FilesystemErrorCodeBadDescriptor
	case !h.room(1):
		return nil, noDescriptor
	}
	return file.Dup(), nil
}

// DescriptorReadViaStream implements wasi:filesystem/types.
func (h *Host) DescriptorReadViaStream(_ context.Context, self bindings.Descriptor, offset uint64) (bindings.InputStream, error) {
	file, err := h.stream(self, vfs.Read)
	if err != nil {
		return 0, err
	}
	return h.newInputStream(&fileSource{file, int64(min(offset, math.MaxInt64))}, describe(file))
}

// DescriptorWriteViaStream implements wasi:filesystem/types.
func (h *Host) DescriptorWriteViaStream(_ context.Context, self bindings.Descriptor, offset uint64) (bindings.OutputStream, error) {
	file, err := h.stream(self, vfs.Write)
	if err != nil {
		return 0, err
	}
	return h.newOutputStream(&fileSink{file, int64(min(offset, math.MaxInt64))}, describe(file))
}

// DescriptorAppendViaStream implements wasi:filesystem/types.
func (h *Host) DescriptorAppendViaStream(_ context.Context, self bindings.Descriptor) (bindings.OutputStream, error) {
	file, err := h.stream(self, vfs.Write)
	if err != nil {
		return 0, err
	}
	return h.newOutputStream(&fileSink{file, vfs.End}, describe(file))
}

// fileSource is a file as an input stream. At its end it can be read again:
// there may be more by then.
type fileSource struct {
	file *vfs.Handle
	off  int64
}

func (s *fileSource) read(limit int) ([]byte, error) {
	p, end, err := s.file.Bytes(s.off, limit)
	if err != nil {
		return nil, err
	}
	if len(p) == 0 && end {
		return nil, io.EOF
	}
	s.off += int64(len(p))
	return p, nil
}

func (s *fileSource) ready() <-chan struct{} { return nil }
func (s *fileSource) close()                 { s.file.Close() }

// fileSink is a file as an output stream. A piece that does not fit into the
// quota is not written in part, so that whoever gets the stream's error can
// write it again in another way and learn how much fits.
type fileSink struct {
	file *vfs.Handle
	off  int64 // or vfs.End
}

func (s *fileSink) write(p []byte) error {
	if err := s.file.WriteAll(p, s.off); err != nil {
		return err
	}
	if s.off != vfs.End {
		s.off += int64(len(p))
	}
	return nil
}

func (s *fileSink) flush() error { return nil }
func (s *fileSink) close()       { s.file.Close() }

// directoryEntryStream is the resource directory-entry-stream.
type directoryEntryStream struct{ *vfs.Listing }

func (*directoryEntryStream) resource() string   { return "directory-entry-stream" }
func (*directoryEntryStream) origin() string     { return "" }
func (s *directoryEntryStream) describe() string { return "a listing of " + describe(s.Dir()) }
func (s *directoryEntryStream) drop()            { s.Close() }

// DescriptorReadDirectory implements wasi:filesystem/types.
func (h *Host) DescriptorReadDirectory(_ context.Context, self bindings.Descriptor) (bindings.DirectoryEntryStream, error) {
	dir, err := h.descriptor(self)
	if err != nil {
		return 0, err
	}
	if !h.roomForDescriptor() {
		return 0, noDescriptor
	}
	list, err := dir.List()
	if err != nil {
		return 0, fileError(err)
	}
	return insert[bindings.DirectoryEntryStream](h, &directoryEntryStream{list})
}

// DirectoryEntryStreamReadDirectoryEntry implements wasi:filesystem/types.
func (h *Host) DirectoryEntryStreamReadDirectoryEntry(_ context.Context, self bindings.DirectoryEntryStream) (abi.Option[bindings.DirectoryEntry], error) {
	var none abi.Option[bindings.DirectoryEntry]
	s, err := lookup[*directoryEntryStream](h, self)
	if err != nil {
		return none, err
	}
	entry, err := s.Next()
	if errors.Is(err, io.EOF) {
		return none, nil
	}
	if err != nil {
		return none, fileError(err)
	}
	return abi.Some(bindings.DirectoryEntry{Type: descriptorType(entry.Kind), Name: entry.Name}), nil
}

// DropDirectoryEntryStream implements wasi:filesystem/types.
func (h *Host) DropDirectoryEntryStream(_ context.Context, self bindings.DirectoryEntryStream) error {
	return drop[*directoryEntryStream](h, self)
}
