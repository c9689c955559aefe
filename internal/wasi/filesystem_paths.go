package wasi

import (
	"context"

	"github.com/eryx-build/eryx/internal/vfs"
	"github.com/eryx-build/eryx/internal/wasi/bindings"
)

// Paths are relative to a descriptor and resolved by the file system, which
// lets none of them out of the descriptor's directory: an absolute path, or
// one that goes up too far, is not-permitted. Only the root is its own parent,
// as POSIX has it, where the WIT has ".." refused.

// at runs an operation on a path below a descriptor.
func (h *Host) at(self bindings.Descriptor, op func(dir *vfs.Handle) error) error {
	dir, err := h.descriptor(self)
	if err != nil {
		return err
	}
	return fileError(op(dir))
}

func follows(flags bindings.PathFlags) bool { return flags&bindings.PathFlagsSymlinkFollow != 0 }

var openFlagTable = [...]struct {
	flag  bindings.OpenFlags
	means vfs.OpenFlags
}{
	{bindings.OpenFlagsCreate, vfs.Create},
	{bindings.OpenFlagsDirectory, vfs.MustBeDir},
	{bindings.OpenFlagsExclusive, vfs.Exclusive},
	{bindings.OpenFlagsTruncate, vfs.Truncate},
}

// DescriptorOpenAt implements wasi:filesystem/types. A directory that is
// opened may be changed where the file system may, whatever the flags say.
func (h *Host) DescriptorOpenAt(_ context.Context, self bindings.Descriptor, pathFlags bindings.PathFlags, path string, openFlags bindings.OpenFlags, flags bindings.DescriptorFlags) (bindings.Descriptor, error) {
	var how vfs.OpenFlags
	if follows(pathFlags) {
		how |= vfs.FollowLinks
	}
	for _, f := range openFlagTable {
		if openFlags&f.flag != 0 {
			how |= f.means
		}
	}
	var access vfs.Access
	if flags&bindings.DescriptorFlagsRead != 0 {
		access |= vfs.Read
	}
	if flags&bindings.DescriptorFlagsWrite != 0 {
		access |= vfs.Write
	}
	var opened bindings.Descriptor
	err := h.at(self, func(dir *vfs.Handle) error {
		if !h.roomForDescriptor() {
			return noDescriptor
		}
		file, err := dir.OpenAt(path, how, access)
		if err != nil {
			return err
		}
		opened, err = insert[bindings.Descriptor](h, &descriptor{file: file})
		return err
	})
	return opened, err
}

// DescriptorStatAt implements wasi:filesystem/types.
func (h *Host) DescriptorStatAt(_ context.Context, self bindings.Descriptor, flags bindings.PathFlags, path string) (bindings.DescriptorStat, error) {
	var info vfs.Info
	err := h.at(self, func(dir *vfs.Handle) (err error) {
		info, err = dir.InfoAt(path, follows(flags))
		return err
	})
	return descriptorStat(info), err
}

// DescriptorMetadataHashAt implements wasi:filesystem/types.
func (h *Host) DescriptorMetadataHashAt(_ context.Context, self bindings.Descriptor, flags bindings.PathFlags, path string) (bindings.MetadataHashValue, error) {
	var info vfs.Info
	err := h.at(self, func(dir *vfs.Handle) (err error) {
		info, err = dir.InfoAt(path, follows(flags))
		return err
	})
	return metadataHash(info), err
}

// DescriptorSetTimesAt implements wasi:filesystem/types.
func (h *Host) DescriptorSetTimesAt(_ context.Context, self bindings.Descriptor, flags bindings.PathFlags, path string, accessed, modified bindings.NewTimestamp) error {
	return h.at(self, func(dir *vfs.Handle) error {
		times, err := h.times(accessed, modified)
		if err != nil {
			return err
		}
		return dir.SetTimesAt(path, follows(flags), times)
	})
}

// DescriptorReadlinkAt implements wasi:filesystem/types.
func (h *Host) DescriptorReadlinkAt(_ context.Context, self bindings.Descriptor, path string) (string, error) {
	var target string
	err := h.at(self, func(dir *vfs.Handle) (err error) {
		target, err = dir.ReadLink(path)
		return err
	})
	return target, err
}

// DescriptorCreateDirectoryAt implements wasi:filesystem/types.
func (h *Host) DescriptorCreateDirectoryAt(_ context.Context, self bindings.Descriptor, path string) error {
	return h.at(self, func(dir *vfs.Handle) error { return dir.Mkdir(path) })
}

// DescriptorRemoveDirectoryAt implements wasi:filesystem/types.
func (h *Host) DescriptorRemoveDirectoryAt(_ context.Context, self bindings.Descriptor, path string) error {
	return h.at(self, func(dir *vfs.Handle) error { return dir.Rmdir(path) })
}

// DescriptorUnlinkFileAt implements wasi:filesystem/types.
func (h *Host) DescriptorUnlinkFileAt(_ context.Context, self bindings.Descriptor, path string) error {
	return h.at(self, func(dir *vfs.Handle) error { return dir.Unlink(path) })
}

// DescriptorSymlinkAt implements wasi:filesystem/types. Absolute targets are
// links from the preopened root, where the WIT has them refused.
func (h *Host) DescriptorSymlinkAt(_ context.Context, self bindings.Descriptor, target, path string) error {
	return h.at(self, func(dir *vfs.Handle) error { return dir.Symlink(target, path) })
}

// DescriptorLinkAt implements wasi:filesystem/types.
func (h *Host) DescriptorLinkAt(_ context.Context, self bindings.Descriptor, flags bindings.PathFlags, oldPath string, to bindings.Descriptor, newPath string) error {
	return h.at(self, func(dir *vfs.Handle) error {
		target, err := h.descriptor(to)
		if err != nil {
			return err
		}
		return dir.Link(oldPath, follows(flags), target, newPath)
	})
}

// DescriptorRenameAt implements wasi:filesystem/types.
func (h *Host) DescriptorRenameAt(_ context.Context, self bindings.Descriptor, oldPath string, to bindings.Descriptor, newPath string) error {
	return h.at(self, func(dir *vfs.Handle) error {
		target, err := h.descriptor(to)
		if err != nil {
			return err
		}
		return dir.Rename(oldPath, target, newPath)
	})
}
