package vfs_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx/internal/vfs"
)

// errnos are the system's numbers for the file system's errors.
var errnos = map[syscall.Errno]vfs.Error{
	syscall.EBUSY: vfs.ErrBusy, syscall.EEXIST: vfs.ErrExist, syscall.EINVAL: vfs.ErrInvalid,
	syscall.EISDIR: vfs.ErrIsDirectory, syscall.ELOOP: vfs.ErrLoop, syscall.ENAMETOOLONG: vfs.ErrNameTooLong,
	syscall.ENOENT: vfs.ErrNotExist, syscall.ENOTDIR: vfs.ErrNotDirectory, syscall.ENOTEMPTY: vfs.ErrNotEmpty,
	syscall.EPERM: vfs.ErrNotPermitted,
}

// both is a directory of the operating system and a tree that goes through the
// same operations.
type both struct {
	t    *testing.T
	dir  string
	root *vfs.Handle
}

// do does an operation on both sides, but for paths that lead above the base:
// vfs refuses them, and the system knows no base.
func (b *both) do(what string, system, ours func() error) {
	b.t.Helper()
	err := ours()
	if errors.Is(err, vfs.ErrNotPermitted) && strings.Contains(what, "..") {
		return
	}
	b.compare(what, system(), err)
}

// compare checks that both sides failed or succeeded in the same way.
func (b *both) compare(what string, system, ours error) {
	b.t.Helper()
	var errno syscall.Errno
	switch {
	case system == nil && ours == nil:
		return
	case errors.As(system, &errno):
		if wanted, ok := errnos[errno]; ok && errors.Is(ours, wanted) {
			return
		}
	}
	b.t.Errorf("%s: the system says %v, vfs %v", what, system, ours)
}

func (b *both) path(path string) string { return b.dir + "/" + path }

// step does one random operation on both sides.
func (b *both) step(random *rand.Rand) {
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	path := func() string {
		parts := make([]string, 1+random.IntN(3))
		for i := range parts {
			parts[i] = pick("a", "b", "c", "d", "l", "m", ".")
			if i > 0 && random.IntN(8) == 0 {
				parts[i] = ".."
			}
		}
		return strings.Join(parts, pick("/", "/", "/", "//")) + pick("", "", "", "", "", "/", "/.", "/..")
	}
	p, q := path(), path()
	switch random.IntN(12) {
	case 0, 1:
		b.do("mkdir "+p,
			func() error { return syscall.Mkdir(b.path(p), 0o755) },
			func() error { return b.root.Mkdir(p) })
	case 2:
		b.do("rmdir "+p,
			func() error { return syscall.Rmdir(b.path(p)) },
			func() error { return b.root.Rmdir(p) })
	case 3:
		b.do("unlink "+p,
			func() error { return syscall.Unlink(b.path(p)) },
			func() error { return b.root.Unlink(p) })
	case 4, 5, 6:
		b.do("rename "+p+" to "+q,
			func() error { return syscall.Rename(b.path(p), b.path(q)) },
			func() error { return b.root.Rename(p, b.root, q) })
	case 7:
		b.do("link "+p+" to "+q,
			func() error { return syscall.Link(b.path(p), b.path(q)) },
			func() error { return b.root.Link(p, false, b.root, q) })
	case 8:
		target := pick("a", "b", "c/d", "d/", ".", "l", "m", "./a/b")
		b.do("symlink "+p+" to "+target,
			func() error { return syscall.Symlink(target, b.path(p)) },
			func() error { return b.root.Symlink(target, p) })
	default:
		b.open(random, p)
	}
}

func (b *both) open(random *rand.Rand, p string) {
	mode, access := syscall.O_RDONLY, vfs.Read
	if random.IntN(2) == 0 {
		mode, access = syscall.O_RDWR, vfs.Read|vfs.Write
	}
	flags := vfs.FollowLinks
	for _, f := range []struct {
		posix int
		ours  vfs.OpenFlags
		one   int // in so many
	}{
		{syscall.O_CREAT, vfs.Create, 2},
		{syscall.O_EXCL, vfs.Exclusive, 3},
		{syscall.O_TRUNC, vfs.Truncate, 3},
		{syscall.O_DIRECTORY, vfs.MustBeDir, 6},
	} {
		if random.IntN(f.one) == 0 {
			mode |= f.posix
			flags |= f.ours
		}
	}
	if mode&(syscall.O_CREAT|syscall.O_DIRECTORY) == syscall.O_CREAT|syscall.O_DIRECTORY {
		return // older kernels do not refuse it
	}
	if mode&syscall.O_CREAT == 0 && mode&syscall.O_EXCL != 0 {
		mode &^= syscall.O_EXCL // undefined without O_CREAT
		flags &^= vfs.Exclusive
	}
	if random.IntN(6) == 0 {
		mode |= syscall.O_NOFOLLOW
		flags &^= vfs.FollowLinks
	}
	h, ours := b.root.OpenAt(p, flags, access)
	if errors.Is(ours, vfs.ErrNotPermitted) {
		return
	}
	fd, system := syscall.Open(b.path(p), mode, 0o644)
	b.compare(fmt.Sprintf("open %s with %#x", p, mode), system, ours)
	content := []byte(p)
	off := int64(random.IntN(3000))
	if system == nil {
		if access&vfs.Write != 0 {
			if _, err := syscall.Pwrite(fd, content, off); err != nil {
				b.t.Fatal(err)
			}
		}
		if err := syscall.Close(fd); err != nil {
			b.t.Fatal(err)
		}
	}
	if ours == nil {
		if access&vfs.Write != 0 {
			if _, err := h.WriteAt(content, off); err != nil {
				b.t.Fatal(err)
			}
		}
		h.Close()
	}
}

// tree lists what is below a directory: kinds, sizes, link counts, targets
// and contents.
func (b *both) tree() (system, ours []string) {
	system = b.system()
	var down func(at *vfs.Handle, path string)
	down = func(at *vfs.Handle, path string) {
		for position := uint64(0); ; {
			e, after, err := at.Next(position)
			if err != nil {
				return
			}
			position = after
			info, err := at.InfoAt(e.Name, false)
			if err != nil {
				b.t.Fatal(err)
			}
			switch e.Kind {
			case vfs.Directory:
				ours = append(ours, path+e.Name+" "+os.ModeDir.String())
				d := openAt(b.t, at, e.Name, vfs.MustBeDir, vfs.Read)
				down(d, path+e.Name+"/")
				d.Close()
			case vfs.Symlink:
				target, err := at.ReadLink(e.Name)
				if err != nil {
					b.t.Fatal(err)
				}
				ours = append(ours, path+e.Name+" "+os.ModeSymlink.String()+" "+target)
			default:
				h := openAt(b.t, at, e.Name, 0, vfs.Read)
				content, _, err := h.Bytes(0, 1<<20)
				if err != nil {
					b.t.Fatal(err)
				}
				h.Close()
				ours = append(ours, fmt.Sprintf("%s%s %v %d links %q", path, e.Name, os.FileMode(0), info.Links, content))
			}
		}
	}
	down(b.root, "")
	slices.Sort(ours)
	return system, ours
}

// system is the system's side of tree.
func (b *both) system() (system []string) {
	err := filepath.WalkDir(b.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || path == b.dir {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		line := fmt.Sprintf("%s %v", strings.TrimPrefix(path, b.dir+"/"), info.Mode().Type())
		switch {
		case info.Mode().IsRegular():
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			line += fmt.Sprintf(" %d links %q", info.Sys().(*syscall.Stat_t).Nlink, content)
		case info.Mode()&os.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			line += " " + target
		}
		system = append(system, line)
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	slices.Sort(system)
	return system
}

// Random operations do to the tree, and fail, as they do on Linux.
func TestAsLinuxDoes(t *testing.T) {
	for seed := range uint64(40) {
		random := rand.New(rand.NewPCG(seed, 0))
		f := newFS(t, vfs.Config{Directories: []string{"/base"}})
		b := &both{t: t, dir: t.TempDir(), root: openAt(t, f.Root(), "base", vfs.MustBeDir, vfs.Read)}
		for range 400 {
			b.step(random)
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
		system, ours := b.tree()
		if diff := cmp.Diff(system, ours); diff != "" {
			t.Fatalf("seed %d: the system's tree (-) and vfs's (+):\n%s", seed, diff)
		}
	}
}
