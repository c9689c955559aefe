package eryx

import (
	"errors"
	"io"
	"io/fs"
	"path"

	"github.com/eryx-build/eryx/internal/secret"
	"github.com/eryx-build/eryx/internal/vfs"
)

// Files is a file system in memory: what scripts begin with and what they leave
// behind. Given as [SandboxConfig.Files] it is shared by all executions of all
// sandboxes that have it. It is safe for concurrent use, also while scripts
// run; each operation sees one state.
//
// Names are those of [io/fs], from the root: what scripts see as
// /home/user/data.csv is "home/user/data.csv". Errors are of type
// [*fs.PathError]; where the limit is reached they match [ErrFilesLimit].
type Files struct {
	tree *vfs.Tree
	view vfs.View
	mask *secret.Set // hides secrets in what is read; nil hides nothing
}

var (
	_ fs.ReadDirFS  = (*Files)(nil)
	_ fs.ReadFileFS = (*Files)(nil)
	_ fs.ReadLinkFS = (*Files)(nil)
	_ fs.StatFS     = (*Files)(nil)
)

// ErrFilesLimit is matched by the errors of [Files] where there is no room.
var ErrFilesLimit = errors.New("eryx: the limit of files is reached")

// NewFiles makes a file system of at most limit bytes with the directories
// /tmp and /home/user, the working directory. 0 means [DefaultFilesLimit]. The
// number of files, directories and links is limited to 32,768.
func NewFiles(limit int64) *Files {
	tree, err := vfs.NewTree(vfs.Config{Bytes: max(limit, 0)})
	if err != nil {
		panic("eryx: an empty file system has no room for its directories: " + err.Error()) // nothing of it depends on limit
	}
	return newFilesOf(tree, nil)
}

func newFilesOf(tree *vfs.Tree, mask *secret.Set) *Files {
	return &Files{tree, tree.Bare().View(), mask}
}

// Open implements [fs.FS].
func (f *Files) Open(name string) (fs.File, error) {
	file, err := f.view.Open(name)
	if err != nil {
		return nil, err
	}
	return masked(f.mask, file)
}

// ReadFile implements [fs.ReadFileFS].
func (f *Files) ReadFile(name string) ([]byte, error) {
	data, err := f.view.ReadFile(name)
	return f.mask.Bytes(data), err
}

// ReadDir implements [fs.ReadDirFS].
func (f *Files) ReadDir(name string) ([]fs.DirEntry, error) { return f.view.ReadDir(name) }

// Stat implements [fs.StatFS].
func (f *Files) Stat(name string) (fs.FileInfo, error) { return f.view.Stat(name) }

// Lstat implements [fs.ReadLinkFS].
func (f *Files) Lstat(name string) (fs.FileInfo, error) { return f.view.Lstat(name) }

// ReadLink implements [fs.ReadLinkFS].
func (f *Files) ReadLink(name string) (string, error) {
	target, err := f.view.ReadLink(name)
	return f.mask.Text(target), err
}

// Size is how many bytes of the limit are used.
func (f *Files) Size() int64 { return f.tree.Usage().Bytes }

// at runs an operation below the root and dresses its error.
func (f *Files) at(op, name string, do func(root *vfs.Handle) error) error {
	err := fs.ErrInvalid
	if fs.ValidPath(name) {
		root := f.tree.Bare().Root()
		defer root.Close()
		err = do(root)
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, vfs.ErrNoSpace):
		err = ErrFilesLimit
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// WriteFile makes a file hold data and nothing else. The directory that it is
// in has to be there.
func (f *Files) WriteFile(name string, data []byte) error {
	return f.at("write", name, func(root *vfs.Handle) error {
		return write(root, name, func(h *vfs.Handle) error { return h.WriteAll(data, 0) })
	})
}

// write makes a file and fills it. If that fails the file is not left behind
// with a part, unless it was there before.
func write(root *vfs.Handle, name string, fill func(h *vfs.Handle) error) error {
	_, before := root.InfoAt(name, true)
	h, err := root.OpenAt(name, vfs.Create|vfs.Truncate|vfs.FollowLinks, vfs.Write)
	if err != nil {
		return err
	}
	defer h.Close()
	if err := fill(h); err != nil {
		if before != nil {
			_ = root.Unlink(name)
		}
		return err
	}
	return nil
}

// Create makes a file hold what r gives, and nothing else.
func (f *Files) Create(name string, r io.Reader) error {
	return f.at("write", name, func(root *vfs.Handle) error {
		return write(root, name, func(h *vfs.Handle) error {
			_, err := io.Copy(&appender{h: h}, r)
			return err
		})
	})
}

// appender writes to a file's end.
type appender struct {
	h   *vfs.Handle
	off int64
}

func (a *appender) Write(p []byte) (int, error) {
	if err := a.h.WriteAll(p, a.off); err != nil {
		return 0, err
	}
	a.off += int64(len(p))
	return len(p), nil
}

// MkdirAll makes a directory with those that it is in.
func (f *Files) MkdirAll(name string) error {
	return f.at("mkdir", name, func(root *vfs.Handle) error { return mkdirAll(root, name) })
}

func mkdirAll(root *vfs.Handle, name string) error {
	info, err := root.InfoAt(name, true)
	switch {
	case err == nil && info.Kind != vfs.Directory:
		return vfs.ErrNotDirectory
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := mkdirAll(root, path.Dir(name)); err != nil {
		return err
	}
	if err := root.Mkdir(name); err != nil && !errors.Is(err, vfs.ErrExist) {
		return err
	}
	return nil
}

// Symlink makes a symbolic link. Its target may be anything; an absolute one
// is meant from the sandbox's root.
func (f *Files) Symlink(target, name string) error {
	return f.at("symlink", name, func(root *vfs.Handle) error { return root.Symlink(target, name) })
}

// Rename moves a file, or a directory with what is in it, in place of what is
// there.
func (f *Files) Rename(from, to string) error {
	return f.at("rename", from, func(root *vfs.Handle) error {
		if !fs.ValidPath(to) {
			return fs.ErrInvalid
		}
		return root.Rename(from, root, to)
	})
}

// Remove removes a file, a link or an empty directory.
func (f *Files) Remove(name string) error {
	return f.at("remove", name, func(root *vfs.Handle) error { return remove(root, name) })
}

func remove(root *vfs.Handle, name string) error {
	err := root.Unlink(name)
	if errors.Is(err, vfs.ErrIsDirectory) {
		err = root.Rmdir(name)
	}
	return err
}

// RemoveAll removes a name with all that is below. That there is nothing is no
// error.
func (f *Files) RemoveAll(name string) error {
	return f.at("remove", name, func(root *vfs.Handle) error {
		err := removeAll(root, name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
}

func removeAll(dir *vfs.Handle, name string) error {
	err := remove(dir, name)
	if !errors.Is(err, vfs.ErrNotEmpty) {
		return err
	}
	sub, err := dir.OpenAt(name, vfs.MustBeDir, vfs.Read)
	if err != nil {
		return err
	}
	defer sub.Close()
	list, err := sub.List()
	if err != nil {
		return err
	}
	defer list.Close()
	for {
		entry, err := list.Next()
		if errors.Is(err, io.EOF) {
			return remove(dir, name)
		}
		if err == nil {
			err = removeAll(sub, entry.Name)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
}

// CopyFS copies what is in fsys into the directory dir, which is made if it is
// not there. Symbolic links are copied as such if fsys is an [fs.ReadLinkFS],
// and what is neither file, directory nor link is an error. Files that are
// there are replaced.
func (f *Files) CopyFS(dir string, fsys fs.FS) error {
	return fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := path.Join(dir, name)
		switch d.Type() {
		case fs.ModeDir:
			return f.MkdirAll(to)
		case fs.ModeSymlink:
			target, err := fs.ReadLink(fsys, name)
			if err != nil {
				return err
			}
			return f.Symlink(target, to)
		case 0:
			file, err := fsys.Open(name)
			if err != nil {
				return err
			}
			defer file.Close()
			return f.Create(to, file)
		}
		return &fs.PathError{Op: "copy", Path: name, Err: errors.New("it is neither a file, a directory nor a link")}
	})
}
