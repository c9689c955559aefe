package vfs

import (
	"io/fs"
	"os"
	"path/filepath"
)

// MountFile shows a regular file of the host's at an absolute path, in place of
// nothing or of a file. Links to it are followed once, by this function; of the
// directory that it is in nothing else is seen. What has its name later, put
// there by somebody else, is what is opened then, unless it is a link.
func (f *FS) MountFile(path, file string, readOnly bool) error {
	file, err := filepath.EvalSymlinks(file)
	if err != nil {
		return err
	}
	info, err := os.Lstat(file)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return &fs.PathError{Op: "mount", Path: file, Err: ErrNotPermitted}
	}
	root, err := os.OpenRoot(filepath.Dir(file))
	if err != nil {
		return err
	}
	return f.mountOutside(path, &outside{
		backend: hostOnly{dir: hostDir{root}, name: filepath.Base(file)}, readOnly: readOnly, file: true,
	})
}

// hostOnly is a backend that is a single file of a directory of the host's.
type hostOnly struct {
	dir  hostDir
	name string
}

// at gives the file's own name for ".", and nothing for what would be in it.
func (o hostOnly) at(name string) (string, error) {
	if name != "." {
		return "", ErrNotDirectory
	}
	return o.name, nil
}

func (o hostOnly) lstat(name string) (Info, error) {
	name, err := o.at(name)
	if err != nil {
		return Info{}, err
	}
	info, err := o.dir.root.Lstat(name)
	switch {
	case err != nil:
		return Info{}, fromHost(err)
	case !info.Mode().IsRegular():
		// Were it a directory, what is in it would be looked for.
		return Info{ID: hostInfo(info).ID, Kind: Special, Links: 1}, nil
	}
	return hostInfo(info), nil
}

func (o hostOnly) open(name string, access Access, create bool) (backendFile, error) {
	name, err := o.at(name)
	if err != nil {
		return nil, err
	}
	file, err := o.dir.open(name, access, create)
	if err != nil {
		return nil, err
	}
	// os.Root follows a link to another file of the directory.
	opened, err := file.(*hostFile).file.Stat()
	if err == nil {
		var named fs.FileInfo
		if named, err = o.dir.root.Lstat(name); err == nil && !os.SameFile(opened, named) {
			err = ErrNotPermitted
		}
	}
	if err != nil {
		file.close()
		return nil, fromHost(err)
	}
	return file, nil
}

func (o hostOnly) setTimes(name string, t Times) error {
	info, err := o.lstat(name)
	switch {
	case err != nil:
		return err
	case info.Kind != File:
		return ErrNotPermitted
	}
	return o.dir.setTimes(o.name, t)
}

func (o hostOnly) close() { o.dir.close() }

// What only a directory has: nothing comes here.

func (hostOnly) readLink(string) (string, error)  { return "", ErrInvalid }
func (hostOnly) openDir(string) (backend, error)  { return nil, ErrNotDirectory }
func (hostOnly) list() (lister, error)            { return nil, ErrNotDirectory }
func (hostOnly) mkdir(string) error               { return ErrNotDirectory }
func (hostOnly) symlink(string, string) error     { return ErrNotDirectory }
func (hostOnly) link(string, string) error        { return ErrCrossDevice }
func (hostOnly) remove(string) error              { return ErrBusy }
func (hostOnly) rename(string, string) error      { return ErrBusy }
func (hostOnly) setLinkTimes(string, Times) error { return ErrNotPermitted }
