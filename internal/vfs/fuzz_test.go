package vfs_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/eryx-build/eryx/internal/vfs"
)

// No path, whatever is in it and whatever links it meets, leads anywhere but
// to a node of the tree or to an error of the package.
func FuzzPaths(f *testing.F) {
	f.Add("home/user/../user/link/x", "/tmp/../..", "new")
	f.Add("../../etc", "../..", "a/")
	f.Add("link/link/link", "link", "./.")
	f.Add("usr/lib/eryx/../eryx/support.py", "/", "\x00")
	f.Add("home//user/./file/..", "//", "\xff")
	f.Fuzz(func(t *testing.T, path, target, other string) {
		tree := newTree(t, vfs.Config{Bytes: 4 << 10, Files: 64})
		write(t, tree, "/home/user/file", "content")
		root := tree.Root()
		defer root.Close()
		user := openAt(t, root, "home/user", 0, vfs.Read)
		check := func(err error) {
			var reason vfs.Error
			if err != nil && (!errors.As(err, &reason) || reason == 0) {
				t.Errorf("error %v is none of the package's", err)
			}
		}
		check(root.Symlink(target, "home/user/link"))
		for _, base := range []*vfs.Handle{root, user} {
			for _, follow := range []bool{false, true} {
				info, err := base.InfoAt(path, follow)
				check(err)
				if err == nil && base == user {
					// The directory and what it holds are newer than all above it.
					top, err := base.Info()
					check(err)
					if info.ID < top.ID {
						t.Errorf("%q, with a link to %q, leads out of its base", path, target)
					}
				}
			}
			for _, flags := range []vfs.OpenFlags{0, vfs.Create, vfs.FollowLinks | vfs.Create | vfs.Truncate, vfs.MustBeDir} {
				h, err := base.OpenAt(path, flags, vfs.Read|vfs.Write)
				check(err)
				if err == nil {
					_, err := h.WriteAt([]byte(other), int64(len(target)))
					check(err)
					h.Close()
				}
			}
			_, err := base.ReadLink(path)
			check(err)
			check(base.Mkdir(path))
			check(base.Rename(path, root, other))
			check(base.Link(other, true, base, path))
			check(base.Rename(other, user, path))
			check(base.Unlink(path))
			check(base.Rmdir(other))
		}
		if u := tree.Usage(); u.Bytes > u.MaxBytes || u.Files > u.MaxFiles || u.Bytes < 0 || u.Files < 1 {
			t.Errorf("usage %+v", u)
		}
		if _, err := tree.View().ReadFile(strings.TrimPrefix(path, "/")); err == nil && strings.Contains(path, "..") {
			t.Errorf("the view opened %q", path)
		}
	})
}
