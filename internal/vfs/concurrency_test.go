package vfs_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"

	"github.com/eryx-build/eryx/internal/vfs"
)

// Guests that change a tree and Go code that reads it do not disturb each
// other; afterwards everything is accounted for.
func TestConcurrentUse(t *testing.T) {
	f := newTree(t, vfs.Config{Bytes: 1 << 20, Files: 2000})
	before := f.Usage()
	var writers, readers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			root := f.Root()
			defer root.Close()
			for i := range 60 {
				name := fmt.Sprintf("tmp/%d", (w+i)%5)
				// Others do the same to the same names, so any of these may fail.
				_ = root.Mkdir(name)
				_ = f.WriteFile("/"+name+"/f", []byte(strings.Repeat("x", i*100)))
				_ = root.Rename(name, root, fmt.Sprintf("tmp/%d", i%5))
				if h, err := root.OpenAt(name+"/f", vfs.Create, vfs.Read|vfs.Write); err == nil {
					_, _ = h.WriteAt([]byte("more"), vfs.End)
					_ = root.Unlink(name + "/f")
					_ = h.SetSize(10)
					h.Close()
				}
				_ = root.Rmdir(name)
			}
		})
	}
	done := make(chan struct{})
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				err := fs.WalkDir(f.View(), ".", func(path string, d fs.DirEntry, err error) error {
					if err == nil && !d.IsDir() {
						_, err = f.View().ReadFile(path)
					}
					if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, vfs.ErrNotDirectory) {
						return err
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
				f.Usage()
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
	root := f.Root()
	defer root.Close()
	for _, name := range names(t, openAt(t, root, "tmp", 0, vfs.Read)) {
		_ = root.Unlink("tmp/" + name + "/f") // may be there or not
		want(t, "rmdir "+name, root.Rmdir("tmp/"+name), 0)
	}
	if after := f.Usage(); after != before {
		t.Errorf("usage %+v, before it was %+v", after, before)
	}
}
