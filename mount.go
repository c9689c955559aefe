package eryx

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/eryx-build/eryx/internal/vfs"
)

// Mount shows scripts files of the host's. Exactly one of FS, Dir and File is given.
//
// Nothing that a script does leads out of a mount: not "..", not a symbolic
// link, whoever made it, not a rename, and not a race with another process. An
// absolute link in a mount leads to the sandbox's root. What is neither a file
// nor a directory, such as a pipe or a device, is listed and cannot be opened.
type Mount struct {
	// Path is where scripts see it, absolute and clean. What is there in
	// memory is hidden, the bundle's own directories cannot be.
	Path string
	// FS is shown read-only. It is used by several goroutines at once, and is
	// trusted: that of os.DirFS follows links out of its directory, for which
	// Dir is the remedy.
	FS fs.FS
	// Dir is a directory of the host's, confined with [os.Root]. It is opened
	// by NewSandbox and for each execution. Its files are not charged to
	// FilesLimit.
	Dir string
	// File is a single file of the host's, or a link to one. It is opened by its
	// name each time that a script opens it, so that one that replaces it is
	// seen. Scripts cannot remove or rename it.
	File string
	// Writable lets scripts change File or what is in Dir, as the process itself may.
	Writable bool
}

// MountError says why something could not be mounted.
type MountError struct {
	Path string // where scripts should have seen it
	Err  error
}

func (e *MountError) Error() string { return fmt.Sprintf("eryx: mounting at %q: %v", e.Path, e.Err) }

// Unwrap returns the reason.
func (e *MountError) Unwrap() error { return e.Err }

// checkMounts refuses what cannot be mounted, and makes directories absolute,
// for the process's own may change.
func (c *SandboxConfig) checkMounts() error {
	c.Mounts = slices.Clone(c.Mounts)
	seen := make(map[string]bool)
	for i := range c.Mounts {
		m := &c.Mounts[i]
		if err := m.check(); err != nil {
			return &MountError{m.Path, err}
		}
		if seen[m.Path] {
			return &MountError{m.Path, errors.New("something else is mounted there as well")}
		}
		seen[m.Path] = true
		for _, name := range []*string{&m.Dir, &m.File} {
			if *name == "" {
				continue
			}
			absolute, err := filepath.Abs(*name)
			if err != nil {
				return &MountError{m.Path, err}
			}
			*name = absolute
		}
	}
	// What is mounted in another mount comes after it.
	slices.SortStableFunc(c.Mounts, func(a, b Mount) int { return cmp.Compare(len(a.Path), len(b.Path)) })
	return nil
}

func (m *Mount) check() error {
	switch {
	case !path.IsAbs(m.Path):
		return errors.New("the path is not absolute")
	case path.Clean(m.Path) != m.Path:
		return fmt.Errorf("the path is not clean: write %q", path.Clean(m.Path))
	case m.Path == "/":
		return errors.New("the root cannot be hidden: mount it in a directory, or give SandboxConfig.Files")
	case count(m.FS != nil, m.Dir != "", m.File != "") != 1:
		return errors.New("give one of FS, Dir and File")
	case m.FS != nil && m.Writable:
		return errors.New("an fs.FS cannot be written to: give a Dir, or copy it into SandboxConfig.Files")
	}
	return nil
}

func count(conditions ...bool) int {
	n := 0
	for _, is := range conditions {
		if is {
			n++
		}
	}
	return n
}

// hides reports whether a mount at p would hide what is at q.
func hides(p, q string) bool { return p == q || strings.HasPrefix(q, p+"/") }

// newFiles makes what a script sees: the files in memory, the bundle's, and
// what is mounted. It has to be closed.
func (r *Runtime) newFiles(config *SandboxConfig, clock func() time.Time) (_ *vfs.FS, err error) {
	var tree *vfs.Tree
	if config.Files != nil {
		tree = config.Files.tree
	} else if tree, err = vfs.NewTree(vfs.Config{Bytes: config.FilesLimit, Clock: clock}); err != nil {
		return nil, fmt.Errorf("eryx: preparing the sandbox's files: %w", err)
	}
	files := tree.FS()
	if clock != nil {
		// Others that have the tree have clocks of their own.
		files.SetClock(clock)
		if config.Files == nil {
			tree.SetClock(time.Now)
		}
	}
	defer func() {
		if err != nil {
			files.Close()
		}
	}()
	own := slices.Concat(config.modules, r.mounts)
	for _, m := range own {
		if err := files.Mount(m.path, m.image); err != nil {
			return nil, fmt.Errorf("eryx: mounting %s: %w", m.path, err)
		}
	}
	for _, m := range config.Mounts {
		if err := m.add(files, own); err != nil {
			return nil, &MountError{m.Path, err}
		}
	}
	return files, nil
}

// add mounts m, unless it would hide what the sandbox itself needs.
func (m *Mount) add(files *vfs.FS, own []mount) error {
	if hides(m.Path, vfs.NullDevice) {
		return fmt.Errorf("it would hide %s", vfs.NullDevice)
	}
	for _, o := range own {
		if hides(m.Path, o.path) {
			return fmt.Errorf("it would hide the sandbox's %s", o.path)
		}
	}
	switch {
	case m.FS != nil:
		return files.MountFS(m.Path, m.FS)
	case m.File != "":
		return files.MountFile(m.Path, m.File, !m.Writable)
	}
	return files.MountDir(m.Path, m.Dir, !m.Writable)
}
