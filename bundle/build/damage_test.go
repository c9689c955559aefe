package build_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/eryx-build/eryx/bundle/build"
	"github.com/eryx-build/eryx/internal/cache"
)

// blobsOf reads an entry's file.
func blobsOf(t *testing.T, path string) map[string]cache.Blob {
	t.Helper()
	var index struct {
		Blobs map[string]cache.Blob `json:"blobs"`
	}
	if err := json.Unmarshal(read(t, path), &index); err != nil {
		t.Fatal(err)
	}
	return index.Blobs
}

// TestDamagedCacheIsRepaired changes content of the cache in place, blob by
// blob and all at once, the engine's native code with it. It is noticed
// whenever it is read, and made again.
func TestDamagedCacheIsRepaired(t *testing.T) {
	dir := warm(t)
	c, err := cache.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := firstBundle(t).result.SHA256
	replace := func(path string, change func([]byte) []byte) {
		content := read(t, path)
		if err := os.Remove(path); err != nil { // it may be the same file elsewhere
			t.Fatal(err)
		}
		write(t, path, change(content))
	}
	damage := func(blob cache.Blob, change func([]byte) []byte) { replace(c.BlobPath(blob.SHA256), change) }
	flip := func(content []byte) []byte {
		content[len(content)/2] ^= 1
		return content
	}
	rebuild := func(name string) {
		t.Helper()
		seen := new(recorder)
		path := filepath.Join(t.TempDir(), "python.eryx")
		result := bundleIn(t, dir, build.Options{
			Output: path, Preimport: preimport, Observer: seen, LinkMap: filepath.Join(t.TempDir(), "map.json"),
		})
		if result.SHA256 != want || cache.Digest(read(t, path)) != want {
			t.Errorf("%s: another bundle was built", name)
		}
		if len(result.Timings) != len(stages) {
			t.Errorf("%s: timings are %v", name, result.Timings)
		}
		told := slices.ContainsFunc(seen.messages, func(m string) bool { return strings.Contains(m, "damaged") })
		if want := strings.HasPrefix(name, "changed"); told != want {
			t.Errorf("%s: messages are %q", name, seen.messages)
		}
	}
	var all []cache.Blob
	for _, stage := range []string{build.StageLink, build.StageMeter, build.StageStdlib, build.StagePreinit} {
		indices, err := filepath.Glob(filepath.Join(dir, "stages", stage, "*.json"))
		if err != nil || len(indices) != 1 {
			t.Fatalf("entries of %s: %q, %v", stage, indices, err)
		}
		for name, blob := range blobsOf(t, indices[0]) {
			all = append(all, blob)
			if stage == build.StageStdlib || name == "module.wasm" {
				continue // with all the others, for it takes seconds
			}
			damage(blob, flip)
			rebuild("changed " + name)
			damage(blob, func(content []byte) []byte { return content[:len(content)/2] })
			rebuild("shortened " + name)
		}
	}
	if len(all) < 9 {
		t.Errorf("only %d blobs", len(all))
	}
	for _, blob := range all {
		damage(blob, flip)
	}
	native, err := filepath.Glob(filepath.Join(dir, "native", "module-*", "wazero-*", "*"))
	if err != nil || len(native) != 1 {
		t.Fatalf("native code: %q, %v", native, err)
	}
	replace(native[0], flip)
	rebuild("changed all")
}

// TestDamagedEntry replaces the record of a stage.
func TestDamagedEntry(t *testing.T) {
	dir := warm(t)
	for _, stage := range []string{build.StageLink, build.StagePreinit} {
		indices, err := filepath.Glob(filepath.Join(dir, "stages", stage, "*.json"))
		if err != nil || len(indices) != 1 {
			t.Fatalf("entries of %s: %q, %v", stage, indices, err)
		}
		content := read(t, indices[0])
		if err := os.Remove(indices[0]); err != nil {
			t.Fatal(err)
		}
		write(t, indices[0], content[:len(content)/2])
	}
	result := bundleIn(t, dir, build.Options{Preimport: preimport})
	if result.SHA256 != firstBundle(t).result.SHA256 {
		t.Error("another bundle was built")
	}
	if did := worked(result); !slices.Equal(did, []string{build.StageLink, build.StagePreinit, build.StagePack}) {
		t.Errorf("work was done by %q", did)
	}
}
