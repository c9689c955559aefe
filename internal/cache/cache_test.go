package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func open(t *testing.T) *Cache {
	t.Helper()
	c, err := Open(filepath.Join(t.TempDir(), "cache"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mustKey(t *testing.T, stage string, inputs ...any) Key {
	t.Helper()
	key, err := NewKey(stage, inputs...)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// leftovers lists files that are neither content nor bookkeeping.
func leftovers(t *testing.T, c *Cache) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(c.Dir(), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && (strings.HasSuffix(path, ".tmp") || filepath.Base(filepath.Dir(path)) == tempDir) {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestDefaultDirFollowsTheEnvironment(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "elsewhere")
	t.Setenv(EnvDir, dir)
	c, err := Open("")
	if err != nil {
		t.Fatal(err)
	}
	if c.Dir() != dir {
		t.Errorf("cache is in %s, want %s", c.Dir(), dir)
	}
	if runtime.GOOS != "windows" {
		for _, path := range []string{dir, c.path(blobsDir)} {
			info, err := os.Stat(path)
			if err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("%s has mode %v (%v), want 0700", path, info.Mode(), err)
			}
		}
	}
}

func TestRefusesDirectoryThatEveryoneMayWrite(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // permissions are not bits there
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "chmod o-w") {
		t.Errorf("got %v, want a refusal", err)
	}
}

func TestDoComputesOnce(t *testing.T) {
	c := open(t)
	key := mustKey(t, "link", "digest", map[string]int{"b": 1, "a": 2})
	if again := mustKey(t, "link", "digest", map[string]int{"a": 2, "b": 1}); again != key {
		t.Error("equal inputs have different keys")
	}
	var computed atomic.Int32
	var hits atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			entry, hit, err := c.Do(t.Context(), key, func(context.Context) (*Value, error) {
				computed.Add(1)
				time.Sleep(20 * time.Millisecond)
				return &Value{Label: "linked", Meta: map[string]int{"functions": 3}, Blobs: map[string][]byte{"wasm": []byte("module"), "map": []byte("m")}}, nil
			})
			if err != nil {
				t.Error(err)
				return
			}
			if hit {
				hits.Add(1)
			}
			data, err := entry.Blob("wasm")
			if err != nil || string(data) != "module" {
				t.Errorf("blob is %q, %v", data, err)
			}
			var meta struct{ Functions int }
			if err := entry.Meta(&meta); err != nil || meta.Functions != 3 {
				t.Errorf("meta is %v, %v", meta, err)
			}
		})
	}
	wg.Wait()
	if computed.Load() != 1 || hits.Load() != 7 {
		t.Errorf("computed %d times with %d hits, want 1 and 7", computed.Load(), hits.Load())
	}
	entry, err := c.Lookup(key)
	if err != nil || entry == nil {
		t.Fatalf("lookup: %v, %v", entry, err)
	}
	if entry.Digest("wasm") != Digest([]byte("module")) || entry.Size("wasm") != 6 {
		t.Errorf("digest %s, size %d", entry.Digest("wasm"), entry.Size("wasm"))
	}
	if data, err := os.ReadFile(entry.Path("wasm")); err != nil || string(data) != "module" {
		t.Errorf("file holds %q, %v", data, err)
	}
	if _, err := entry.Blob("nothing"); err == nil {
		t.Error("a blob that was never stored is found")
	}
	if names := leftovers(t, c); len(names) != 0 {
		t.Errorf("left over: %q", names)
	}
}

func TestDoStoresNoFailure(t *testing.T) {
	c := open(t)
	key := mustKey(t, "link", 1)
	boom := errors.New("boom")
	if _, _, err := c.Do(t.Context(), key, func(context.Context) (*Value, error) { return nil, boom }); !errors.Is(err, boom) {
		t.Fatalf("got %v", err)
	}
	_, hit, err := c.Do(t.Context(), key, func(context.Context) (*Value, error) { return &Value{}, nil })
	if err != nil || hit {
		t.Errorf("after a failure: hit %v, %v", hit, err)
	}
}

func TestDoWithoutCache(t *testing.T) {
	var c *Cache
	for range 2 {
		entry, hit, err := c.Do(t.Context(), mustKey(t, "link", 1), func(context.Context) (*Value, error) {
			return &Value{Blobs: map[string][]byte{"x": []byte("y")}}, nil
		})
		if err != nil || hit {
			t.Fatalf("hit %v, %v", hit, err)
		}
		if data, err := entry.Blob("x"); err != nil || string(data) != "y" || entry.Path("x") != "" || entry.Digest("x") != Digest([]byte("y")) {
			t.Errorf("%q, %v, path %q", data, err, entry.Path("x"))
		}
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	c := open(t)
	var told atomic.Bool
	c.Notify = func(string) { told.Store(true) }
	unlock, err := c.Lock(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	reason := errors.New("enough")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 400*time.Millisecond, reason)
	defer cancel()
	if _, err := c.Lock(ctx, "x"); !errors.Is(err, reason) {
		t.Errorf("got %v, want %v", err, reason)
	}
	if !told.Load() {
		t.Error("nobody was told about the wait")
	}
}

func TestDamageIsNoticedAndMadeAnew(t *testing.T) {
	content := []byte("precious content")
	for name, damage := range map[string]func(t *testing.T, path string){
		"altered": func(t *testing.T, path string) {
			altered := append([]byte(nil), content...)
			altered[3] ^= 1
			if err := os.WriteFile(path, altered, 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"truncated": func(t *testing.T, path string) {
			if err := os.Truncate(path, 3); err != nil {
				t.Fatal(err)
			}
		},
		"removed": func(t *testing.T, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := open(t)
			key := mustKey(t, "link", 1)
			compute := func(context.Context) (*Value, error) {
				return &Value{Blobs: map[string][]byte{"x": content}}, nil
			}
			if _, _, err := c.Do(t.Context(), key, compute); err != nil {
				t.Fatal(err)
			}
			entry, err := c.Lookup(key)
			if err != nil || entry == nil {
				t.Fatal("not stored", err)
			}
			damage(t, entry.Path("x"))
			if _, err := entry.Blob("x"); err == nil {
				t.Error("damaged content was returned")
			} else if name == "altered" {
				var corrupt *CorruptError
				if !errors.As(err, &corrupt) || corrupt.Path != entry.Path("x") {
					t.Errorf("got %v, want a CorruptError", err)
				}
			}
			again, hit, err := c.Do(t.Context(), key, compute)
			if err != nil || hit {
				t.Fatalf("hit %v, %v; want it made anew", hit, err)
			}
			if data, err := again.Blob("x"); err != nil || string(data) != string(content) {
				t.Errorf("%q, %v", data, err)
			}
			if err := c.Check(again.Digest("x")); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDamagedIndexIsNoEntry(t *testing.T) {
	c := open(t)
	key, other := mustKey(t, "link", 1), mustKey(t, "link", 2)
	for _, k := range []Key{key, other} {
		if _, err := c.Store(k, &Value{Label: k.SHA256}); err != nil {
			t.Fatal(err)
		}
	}
	swapped, err := os.ReadFile(c.indexPath(other))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "{", "null", `{"blobs":{"x":{"sha256":"../../etc/passwd","size":1}},"stage":"link","key":"` + key.SHA256 + `"}`, string(swapped)} {
		if err := os.WriteFile(c.indexPath(key), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if entry, err := c.Lookup(key); entry != nil || err != nil {
			t.Errorf("index %.40q gave %v, %v", text, entry, err)
		}
	}
}

func TestKeysNeedAName(t *testing.T) {
	for _, stage := range []string{"", "..", "a/b", "A", ".x", "x y"} {
		if _, err := NewKey(stage); err == nil {
			t.Errorf("%q passes as a stage", stage)
		}
	}
	if _, err := NewKey("x", func() {}); err == nil {
		t.Error("a function passes as an input")
	}
}

func TestListAndPrune(t *testing.T) {
	c := open(t)
	old := time.Now().Add(-100 * 24 * time.Hour)
	age := func(path string) {
		t.Helper()
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
	}
	shared := []byte("shared by both")
	for i, stage := range []string{"link", "meter"} {
		entry, err := c.Store(mustKey(t, stage, 1), &Value{Label: stage, Blobs: map[string][]byte{"s": shared, "own": []byte(stage)}})
		if err != nil {
			t.Fatal(err)
		}
		age(entry.Path("s"))
		age(entry.Path("own"))
		if i == 0 {
			age(c.indexPath(mustKey(t, stage, 1)))
		}
	}
	native, err := c.Sub("native")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(native, "n"), []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	loose, err := c.Put([]byte("loose"))
	if err != nil {
		t.Fatal(err)
	}

	items, total, err := c.List()
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for _, item := range items {
		kinds[item.Kind]++
	}
	if want := int64(len(shared) + len("link") + len("meter") + 5 + 5); total != want || kinds["stage"] != 2 || kinds["native"] != 1 || kinds["blob"] != 1 {
		t.Errorf("total %d (want %d), kinds %v", total, want, kinds)
	}

	dry, err := c.Prune(t.Context(), PruneOptions{DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	// The first stage's index and its own blob; the shared one is in use.
	pruned, err := c.Prune(t.Context(), PruneOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if pruned != dry || pruned.Files != 2 {
		t.Errorf("dry run says %v, prune %v", dry, pruned)
	}
	if entry, _ := c.Lookup(mustKey(t, "link", 1)); entry != nil {
		t.Error("the old entry is still there")
	}
	entry, err := c.Lookup(mustKey(t, "meter", 1))
	if err != nil || entry == nil {
		t.Fatal("the used entry is gone", err)
	}
	if data, err := entry.Blob("s"); err != nil || string(data) != string(shared) {
		t.Errorf("%q, %v", data, err)
	}
	if _, err := os.Stat(c.BlobPath(Digest([]byte("link")))); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the old entry's content: %v", err)
	}
	if !c.Has(loose) {
		t.Error("recent content is gone")
	}

	if _, err := c.Prune(t.Context(), PruneOptions{All: true}); err != nil {
		t.Fatal(err)
	}
	items, total, err = c.List()
	if err != nil || len(items) != 0 || total != 0 {
		t.Errorf("after pruning all: %v, %d bytes, %v", items, total, err)
	}
	// The cache is still usable.
	if _, err := c.Store(mustKey(t, "link", 1), &Value{Blobs: map[string][]byte{"x": shared}}); err != nil {
		t.Error(err)
	}
}

func TestPruneWaitsForWork(t *testing.T) {
	c := open(t)
	unlock, err := c.Lock(t.Context(), "work")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.Prune(ctx, PruneOptions{All: true}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("pruned under a lock: %v", err)
	}
	unlock()
	if _, err := c.Prune(t.Context(), PruneOptions{All: true}); err != nil {
		t.Error(err)
	}
}

func TestAbandonedFilesAreSwept(t *testing.T) {
	c := open(t)
	litter := c.path(tempDir, "killed"+".tmp")
	fresh := c.path(tempDir, "other-process.tmp")
	for _, path := range []string{litter, fresh} {
		if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	old := time.Now().Add(-2 * abandoned)
	if err := os.Chtimes(litter, old, old); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Put([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(litter); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an abandoned file is still there: %v", err)
	}
	if _, err := os.Stat(fresh); err != nil {
		t.Errorf("another process's file is gone: %v", err)
	}
}

func TestStampHoldsUntilTheFileChanges(t *testing.T) {
	c := open(t)
	path := filepath.Join(t.TempDir(), "bundle")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond) // past the file system's tick
	}
	stamped := func() (string, bool) {
		t.Helper()
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		return c.Stamped("verified", path, f)
	}
	mark := func() Mark {
		t.Helper()
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		return c.Mark(path, f)
	}
	write("one")
	if _, ok := stamped(); ok {
		t.Error("a file that was never seen has a stamp")
	}
	if err := c.Stamp("verified", mark(), "digest"); err != nil {
		t.Fatal(err)
	}
	if value, ok := stamped(); !ok || value != "digest" {
		t.Errorf("stamp is %q, %v", value, ok)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	write("two") // same size
	if _, ok := stamped(); ok {
		t.Error("the stamp survives a change")
	}
	if runtime.GOOS == "linux" || runtime.GOOS == "darwin" {
		if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
			t.Fatal(err)
		}
		if _, ok := stamped(); ok {
			t.Error("the stamp survives a change with the time set back")
		}
	}
	m := mark()
	write("six")
	if err := c.Stamp("verified", m, "digest"); err != nil {
		t.Fatal(err)
	}
	if _, ok := stamped(); ok {
		t.Error("a change while the file was read is not noticed")
	}
}

func TestRacyStampDoesNotCount(t *testing.T) {
	at := time.Unix(1000, 5000)
	for _, test := range []struct {
		changed, looked time.Time
		racy            bool
	}{
		{at, at.Add(time.Millisecond), true},
		{at, at.Add(time.Second), false},
		{time.Unix(1000, 0), time.Unix(1001, 0), true}, // whole seconds only
		{time.Unix(1000, 0), time.Unix(1003, 0), false},
		{time.Time{}, at, false}, // not told on this platform
	} {
		if got := racy(test.changed, test.looked); got != test.racy {
			t.Errorf("racy(%v, %v) = %v", test.changed, test.looked, got)
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	c, err := Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	key, err := NewKey("x", 1)
	if err != nil {
		b.Fatal(err)
	}
	blobs := map[string][]byte{}
	for i := range 10 {
		blobs[fmt.Sprint(i)] = []byte{byte(i)}
	}
	if _, err := c.Store(key, &Value{Blobs: blobs}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if e, err := c.Lookup(key); e == nil || err != nil {
			b.Fatal(err)
		}
	}
}
