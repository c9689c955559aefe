package resolve

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLock(t *testing.T) {
	eachClient(t, func(t *testing.T, x *index) {
		x.add(t, "app", "1.0", "lib>=1")
		x.add(t, "lib", "1.0")
		c := openCache(t)
		path := filepath.Join(t.TempDir(), LockFile)
		o := Options{Request: *arguments(t, "app"), Cache: c, Lock: path, Locked: true}
		if _, err := Resolve(t.Context(), o); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "no such file") {
			t.Errorf("without a file: %v", err)
		}
		o.Locked = false
		set, err := Resolve(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if written, err := set.WriteLock(); err != nil || !written {
			t.Fatalf("written %v, %v", written, err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), x.URL) || !strings.Contains(string(text), set.Wheels[0].SHA256) {
			t.Errorf("lock:\n%s", text)
		}

		// Newer versions change nothing, here and on another machine.
		x.add(t, "lib", "2.0")
		for _, o := range []Options{{Cache: c, Offline: true}, {Cache: c, Locked: true, Offline: true}, {Cache: openCache(t), Locked: true}, {}} {
			o.Request, o.Lock = *arguments(t, "app"), path
			set, err := Resolve(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if versions(set) != "app==1.0 lib==1.0" || set.LockChanged {
				t.Errorf("%+v: %s, changed %v", o, versions(set), set.LockChanged)
			}
		}
		_, err = Resolve(t.Context(), Options{Request: *arguments(t, "app"), Lock: path, Cache: openCache(t), Offline: true})
		if !errors.Is(err, ErrOffline) || !strings.Contains(err.Error(), "app 1.0, lib 1.0 not in the cache") {
			t.Errorf("offline with an empty cache: %v", err)
		}

		// Another request keeps what it can.
		x.add(t, "more", "1.0")
		_, err = Resolve(t.Context(), Options{Request: *arguments(t, "app", "more"), Cache: c, Lock: path, Locked: true})
		if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "more is not in it") {
			t.Errorf("stale: %v", err)
		}
		set, err = Resolve(t.Context(), Options{Request: *arguments(t, "app", "more"), Cache: c, Lock: path})
		if err != nil || versions(set) != "app==1.0 lib==1.0 more==1.0" || !set.LockChanged {
			t.Errorf("one more: %v", err)
		}
		set, err = Resolve(t.Context(), Options{Request: *arguments(t, "app", "lib>1"), Cache: c, Lock: path})
		if err != nil || versions(set) != "app==1.0 lib==2.0" {
			t.Errorf("another version: %v", err)
		}
		set, err = Resolve(t.Context(), Options{Request: *arguments(t, "app"), Cache: c, Lock: path, Upgrade: true})
		if err != nil || versions(set) != "app==1.0 lib==2.0" {
			t.Errorf("upgrade: %v", err)
		}

		// The index has another file of that name.
		x.addFor(t, "lib", "1.0", "py3-none-any", "changed; python_version<'3'")
		_, err = Resolve(t.Context(), Options{Request: *arguments(t, "app"), Lock: path, Locked: true})
		if !errors.Is(err, ErrHash) || !strings.Contains(err.Error(), "lib") {
			t.Errorf("another file: %v", err)
		}
		// The index does not have it any more.
		delete(x.files, "lib-1.0-py3-none-any.whl")
		_, err = Resolve(t.Context(), Options{Request: *arguments(t, "app"), Lock: path, Locked: true})
		if err == nil || !strings.Contains(err.Error(), "lib") {
			t.Errorf("no file: %v", err)
		}
	})
}

func TestLockText(t *testing.T) {
	lock := &Lock{
		Python: "3.14.0", Platform: lockedPlatform,
		Requirements: []string{`a[x]>=1; python_version >= "3"`, "b"}, Constraints: []string{"c<2"}, Provided: []string{"d==1"},
		Packages: []Package{
			{Name: "a", Version: "1.0", File: "a-1.0-py3-none-any.whl", Size: 3, SHA256: strings.Repeat("0a", 32), Source: SourceIndex, Requires: []string{"b", "c"}},
			{Name: "b-c", Version: "2", File: "b_c-2-cp314-cp314-wasi_wasm32.whl", SHA256: strings.Repeat("00", 32), Source: SourceURL, URL: "http://localhost/b'\"\\c"},
		},
	}
	again, err := ParseLock("x", lock.Text())
	if err != nil {
		t.Fatalf("%v in\n%s", err, lock.Text())
	}
	if diff := cmp.Diff(lock, again); diff != "" {
		t.Error(diff)
	}
	good := string(lock.Text())
	for name, change := range map[string][2]string{
		"has format 2":                     {"format = 1", "format = 2"},
		"another package":                  {`name = "a"`, `name = "z"`},
		"another version":                  {`version = "1.0"`, `version = "1.1"`},
		"another platform":                 {"cp314-cp314-wasi_wasm32", "cp314-cp314-win_amd64"},
		"is no SHA-256":                    {`sha256 = "0a`, `sha256 = "../`},
		"its source is":                    {`source = "index"`, `source = "web"`},
		"its source and its url":           {`source = "url"`, `source = "index"`},
		"invalid wheel file name":          {"a-1.0-py3-none-any.whl", "a.whl"},
		"a-1.0-py3-none-any.whl has a dir": {`file = "a-`, `file = "../a-`},
		"x:":                               {"size = 3", "size = "},
	} {
		text := strings.Replace(good, change[0], change[1], 1)
		_, err := ParseLock("x", []byte(text))
		if name == "a-1.0-py3-none-any.whl has a dir" {
			name = "has a directory"
		}
		if !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "make it again") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ParseLock("x", append(lock.Text(), lock.Text()[strings.Index(good, "\n[[package]]"):]...)); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("twice: %v", err)
	}
}

func FuzzLock(f *testing.F) {
	f.Add([]byte("format = 1\npython = '3.14.0'\n[[package]]\nname='a'\nversion='1'\nfile='a-1-py3-none-any.whl'\nsource='index'\nsha256='" + strings.Repeat("0", 64) + "'\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		lock, err := ParseLock("fuzz", data)
		if err != nil {
			return
		}
		again, err := ParseLock("fuzz", lock.Text())
		if err != nil {
			t.Fatalf("%v in\n%s", err, lock.Text())
		}
		if string(again.Text()) != string(lock.Text()) {
			t.Errorf("%s\nbecomes\n%s", lock.Text(), again.Text())
		}
	})
}
