package resolve

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx/internal/pyclient"
)

// TestTarget: markers, tags and extras are the target's, not the machine's.
func TestTarget(t *testing.T) {
	eachClient(t, func(t *testing.T, x *index) {
		x.add(t, "app", "1.0", `windows-only; sys_platform == "win32"`, `wasi-only; sys_platform == "wasi"`, `speedups; platform_machine == "x86_64"`,
			`linux-only; sys_platform == "linux"`, `old-python; python_version < "3.14"`, "extra:socks", `socks>=1; extra == "socks"`, "extra:other", `other; extra == "other"`)
		for _, name := range []string{"windows-only", "wasi-only", "linux-only", "old-python", "other"} {
			x.add(t, name, "1.0")
		}
		x.addFor(t, "speedups", "1.0", linuxTag)
		x.add(t, "socks", "1.0", "deep")
		x.add(t, "deep", "1.0")
		x.add(t, "deep", "2.0", "native")
		x.addFor(t, "native", "1.0", linuxTag)
		x.addFor(t, "native", "0.9", wasiTag)
		set, err := Resolve(t.Context(), Options{Request: *arguments(t, "App[socks]", `nothing; sys_platform == "linux"`, "deep<2"), Cache: openCache(t)})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := versions(set), "app==1.0 deep==1.0 socks==1.0 wasi-only==1.0"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if diff := cmp.Diff([]string{"socks", "wasi-only"}, set.Wheels[0].Requires); diff != "" {
			t.Error(diff)
		}
		if set.Cached || set.Client == "" || len(set.Notes) != 0 {
			t.Errorf("cached %v, client %q, notes %q", set.Cached, set.Client, set.Notes)
		}
	})
}

// TestRequiresPython: it is the target's Python that counts, not the client's.
func TestRequiresPython(t *testing.T) {
	eachClient(t, func(t *testing.T, x *index) {
		x.add(t, "app", "1.0", "python:>=3.14")
		x.links[x.add(t, "app", "2.0", "python:>=3.14")] = `data-requires-python="&gt;=3.14"`
		x.add(t, "app", "3.0", "python:>=3.15")
		x.links[x.add(t, "app", "4.0", "python:>=3.15")] = `data-requires-python="&gt;=3.15"`
		set, err := Resolve(t.Context(), Options{Request: *arguments(t, "app")})
		if err != nil || versions(set) != "app==2.0" {
			t.Errorf("got %v, %+v", err, set)
		}
		_, err = Resolve(t.Context(), Options{Request: *arguments(t, "app>=4")})
		if err == nil || !strings.Contains(err.Error(), "3.15") {
			t.Errorf("got %v", err)
		}
	})
}

// TestMarkersOfPipThatCannotBeChanged has a Python that loads no hook.
func TestMarkersOfPipThatCannotBeChanged(t *testing.T) {
	x := newIndex(t)
	t.Setenv(pyclient.EnvClient, "python3 -I -m pip")
	x.add(t, "app", "1.0", `linux-only; sys_platform == "linux"`, `wasi-only; sys_platform == "wasi"`)
	x.add(t, "linux-only", "1.0")
	x.add(t, "wasi-only", "1.0", `deeper>=1; platform_machine == "wasm32"`)
	x.add(t, "deeper", "1.0")
	set, err := Resolve(t.Context(), Options{Request: *arguments(t, "app")})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := versions(set), "app==1.0 deeper==1.0 wasi-only==1.0"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestMissingWheels(t *testing.T) {
	eachClient(t, func(t *testing.T, x *index) {
		x.add(t, "app", "1.0", "native-one>=2", "native-two", "pure")
		x.add(t, "pure", "1.0")
		x.addFor(t, "native-one", "1.0", linuxTag)
		x.addFor(t, "native-one", "2.1", linuxTag)
		x.addFor(t, "native-one", "2.1", "cp314-cp314-macosx_11_0_arm64")
		x.addFor(t, "native-two", "1.5", "cp312-cp312-manylinux_2_28_x86_64")
		x.addFor(t, "native-two", "1.5", "cp314-cp314t-win_amd64")
		_, err := Resolve(t.Context(), Options{Request: *arguments(t, "app")})
		var missing *MissingError
		if !errors.As(err, &missing) || !errors.Is(err, ErrNoWheel) || len(missing.Packages) != 2 {
			t.Fatalf("got %v", err)
		}
		for _, want := range []string{"native-one: no usable wheel", "cp314-cp314-wasi_wasm32", "2.1: 2 wheels, for macosx, manylinux", "native-two: no usable wheel", "(required by app 1.0)", "native-two-wasi.tar.gz"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q is not in: %v", want, err)
			}
		}
		_, err = Resolve(t.Context(), Options{Request: *arguments(t, "pure", "nowhere")})
		if !errors.As(err, &missing) || missing.Packages[0].Known || !strings.Contains(err.Error(), "check the spelling") {
			t.Errorf("got %v", err)
		}
	})
}

// TestBuiltWheels finds wheels in directories, and has missing ones built.
func TestBuiltWheels(t *testing.T) {
	eachClient(t, func(t *testing.T, x *index) {
		x.add(t, "app", "1.0", "native>=2")
		x.addFor(t, "native", "2.2", linuxTag)
		x.addFor(t, "native", "3.0", linuxTag)
		built := t.TempDir()
		saveWheel(t, built, "native", "2.2", wasiTag)
		c := openCache(t)
		set, err := Resolve(t.Context(), Options{Request: *arguments(t, "app"), FindLinks: []string{built, filepath.Join(built, "absent")}, Cache: c})
		if err != nil {
			t.Fatal(err)
		}
		if got := versions(set); got != "app==1.0 native==2.2" || set.Wheels[1].Source != SourceLinks {
			t.Errorf("got %s, %+v", got, set.Wheels[1].Package)
		}

		var asked []Missing
		build := func(_ context.Context, m Missing) (string, error) {
			asked = append(asked, m)
			dir := t.TempDir()
			return saveWheel(t, dir, m.Name, m.Version, wasiTag), nil
		}
		lock := filepath.Join(t.TempDir(), LockFile)
		set, err = Resolve(t.Context(), Options{Request: *arguments(t, "app"), Build: build, Cache: c, Lock: lock})
		if err != nil {
			t.Fatal(err)
		}
		if got := versions(set); got != "app==1.0 native==3.0" || len(asked) != 1 || asked[0].Requirement() != "native==3.0" || !asked[0].Accepts("3.0") {
			t.Errorf("got %s, asked %+v", got, asked)
		}
		if _, err := set.WriteLock(); err != nil {
			t.Fatal(err)
		}
		// What was built is in the cache under its digest.
		if set, err = Resolve(t.Context(), Options{Request: *arguments(t, "app"), Cache: c, Lock: lock, Locked: true, Offline: true}); err != nil || versions(set) != "app==1.0 native==3.0" {
			t.Errorf("locked: %v", err)
		}
		// Elsewhere it is not.
		_, err = Resolve(t.Context(), Options{Request: *arguments(t, "app"), Cache: openCache(t), Lock: lock, Locked: true})
		if !errors.Is(err, ErrFetch) || !strings.Contains(err.Error(), "built on another machine") {
			t.Errorf("on another machine: %v", err)
		}
		rebuild := func(tag string) func(context.Context, Missing) (string, error) {
			return func(_ context.Context, m Missing) (string, error) {
				return saveWheel(t, t.TempDir(), m.Name, m.Version, tag), nil
			}
		}
		if set, err = Resolve(t.Context(), Options{Request: *arguments(t, "app"), Lock: lock, Locked: true, Build: rebuild(wasiTag)}); err != nil || set.LockChanged {
			t.Errorf("built again, the same: %v", err)
		}
		if _, err = Resolve(t.Context(), Options{Request: *arguments(t, "app"), Lock: lock, Locked: true, Build: rebuild("cp314-abi3-wasi_wasm32")}); !errors.Is(err, ErrHash) {
			t.Errorf("built again, not the same, locked: %v", err)
		}
		if set, err = Resolve(t.Context(), Options{Request: *arguments(t, "app"), Lock: lock, Build: rebuild("cp314-abi3-wasi_wasm32")}); err != nil || !set.LockChanged || len(set.Notes) != 1 {
			t.Errorf("built again, not the same: %v", err)
		}

		failure := errors.New("no compiler")
		_, err = Resolve(t.Context(), Options{Request: *arguments(t, "app"), Build: func(context.Context, Missing) (string, error) { return "", failure }})
		if !errors.Is(err, failure) || !errors.Is(err, ErrNoWheel) || !strings.Contains(err.Error(), "building one failed: no compiler") {
			t.Errorf("got %v", err)
		}
	})
}

// TestOlderVersion: pip goes back to a version that needs no native package.
func TestOlderVersion(t *testing.T) {
	x := newIndex(t)
	t.Setenv(pyclient.EnvClient, "python3 -m pip")
	x.add(t, "app", "1.0")
	x.add(t, "app", "2.0", "native==7")
	x.addFor(t, "native", "7", linuxTag)
	set, err := Resolve(t.Context(), Options{Request: *arguments(t, "app")})
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Notes) != 1 || !strings.Contains(set.Notes[0], "app 1.0 is used, because app 2.0 needs native==7") || versions(set) != "app==1.0" {
		t.Errorf("%s, notes %q", versions(set), set.Notes)
	}
	set, err = Resolve(t.Context(), Options{Request: *arguments(t, "app"), Build: func(_ context.Context, m Missing) (string, error) {
		return saveWheel(t, t.TempDir(), m.Name, m.Version, wasiTag), nil
	}})
	if err != nil || versions(set) != "app==2.0 native==7" || len(set.Notes) != 0 {
		t.Errorf("with building: %v, %+v", err, set)
	}
}

func TestConflict(t *testing.T) {
	eachClient(t, func(t *testing.T, x *index) {
		x.add(t, "one", "1.0", "shared<2")
		x.add(t, "two", "1.0", "shared>=2")
		x.add(t, "shared", "1.0")
		x.add(t, "shared", "2.0")
		_, err := Resolve(t.Context(), Options{Request: *arguments(t, "one", "two")})
		if !errors.Is(err, ErrConflict) || !strings.Contains(err.Error(), "cannot all be met") || !strings.Contains(err.Error(), "shared") || !strings.Contains(err.Error(), "loosen") {
			t.Errorf("got %v", err)
		}
		_, err = Resolve(t.Context(), Options{Request: *arguments(t, "shared>=3")})
		if err == nil || !errors.Is(err, ErrNoWheel) && !errors.Is(err, ErrConflict) || !strings.Contains(err.Error(), "shared") || !strings.Contains(err.Error(), "2.0") {
			t.Errorf("no such version: %v", err)
		}
	})
}

func TestYanked(t *testing.T) {
	x := newIndex(t)
	t.Setenv(pyclient.EnvClient, "python3 -m pip")
	x.links[x.add(t, "broken", "2.0")] = `data-yanked="bad"`
	x.add(t, "broken", "1.0")
	set, err := Resolve(t.Context(), Options{Request: *arguments(t, "broken")})
	if err != nil || versions(set) != "broken==1.0" || len(set.Notes) != 0 {
		t.Errorf("got %v, %+v", err, set)
	}
	set, err = Resolve(t.Context(), Options{Request: *arguments(t, "broken==2.0")})
	if err != nil || versions(set) != "broken==2.0" || len(set.Notes) != 1 || !strings.Contains(set.Notes[0], "broken 2.0 was withdrawn (yanked)") {
		t.Errorf("got %v, %+v", err, set)
	}
	x.links[x.add(t, "gone", "1.0")] = `data-yanked="bad"`
	if _, err = Resolve(t.Context(), Options{Request: *arguments(t, "gone")}); !errors.Is(err, ErrNoWheel) || !strings.Contains(err.Error(), "gone") {
		t.Errorf("got %v", err)
	}
}

func TestHashes(t *testing.T) {
	eachClient(t, func(t *testing.T, x *index) {
		x.altered[x.add(t, "tampered", "1.0")] = true
		_, err := Resolve(t.Context(), Options{Request: *arguments(t, "tampered")})
		if !errors.Is(err, ErrHash) || !strings.Contains(err.Error(), "tampered") || !strings.Contains(err.Error(), "SHA-256") {
			t.Errorf("altered on its way: %v", err)
		}
		file := x.add(t, "pinned", "1.0")
		digest := strings.Repeat("0", 64)
		r := requirementsFile(t, "pinned==1.0 --hash=sha256:"+digest+"\n")
		if _, err = Resolve(t.Context(), Options{Request: *r}); !errors.Is(err, ErrHash) || !strings.Contains(err.Error(), file) {
			t.Errorf("not one of the requirements': %v", err)
		}
		if _, err = Resolve(t.Context(), Options{Request: *requirementsFile(t, "pinned==1.0\n--require-hashes\n")}); !errors.Is(err, ErrHash) || !strings.Contains(err.Error(), "--hash=sha256:") {
			t.Errorf("no hash: %v", err)
		}
		x.noHash[x.add(t, "unhashed", "1.0")] = true
		set, err := Resolve(t.Context(), Options{Request: *arguments(t, "unhashed")})
		if err != nil || len(set.Wheels[0].SHA256) != 64 {
			t.Errorf("an index without hashes: %v", err)
		}
	})
}

func TestUnreachable(t *testing.T) {
	eachClient(t, func(t *testing.T, x *index) {
		x.use(t, "http://user:secret@127.0.0.1:1/simple")
		_, err := Resolve(t.Context(), Options{Request: *arguments(t, "requests")})
		if !errors.Is(err, ErrFetch) || !strings.Contains(err.Error(), "cannot reach the package index") || strings.Contains(err.Error(), "secret") {
			t.Errorf("got %v", err)
		}
		c := openCache(t)
		_, err = Resolve(t.Context(), Options{Request: *arguments(t, "requests"), Offline: true, Cache: c})
		if !errors.Is(err, ErrOffline) || !strings.Contains(err.Error(), "--offline") {
			t.Errorf("offline: %v", err)
		}
		if entries, err := os.ReadDir(filepath.Join(c.Dir(), "tmp")); err != nil || len(entries) != 0 {
			t.Errorf("left behind: %v, %v", entries, err)
		}
	})
}

func TestOfflineAndAge(t *testing.T) {
	eachClient(t, func(t *testing.T, x *index) {
		x.add(t, "app", "1.0", "lib")
		x.add(t, "lib", "1.0")
		c := openCache(t)
		request := *arguments(t, "app")
		first, err := Resolve(t.Context(), Options{Request: request, Cache: c})
		if err != nil {
			t.Fatal(err)
		}
		before := x.count()
		for _, o := range []Options{{Offline: true}, {MaxAge: time.Hour}} {
			o.Request, o.Cache = request, c
			set, err := Resolve(t.Context(), o)
			if err != nil || !set.Cached || versions(set) != versions(first) || string(set.Wheels[1].Data()) != string(first.Wheels[1].Data()) {
				t.Errorf("%+v: %v", o, err)
			}
		}
		if x.count() != before {
			t.Error("the index was asked")
		}
		x.add(t, "lib", "2.0")
		if set, err := Resolve(t.Context(), Options{Request: request, Cache: c, MaxAge: time.Nanosecond}); err != nil || versions(set) != "app==1.0 lib==2.0" {
			t.Errorf("an answer that is too old: %v", err)
		}
		if _, err := Resolve(t.Context(), Options{Request: *arguments(t, "app", "lib==1.0"), Cache: c, Offline: true}); !errors.Is(err, ErrOffline) {
			t.Errorf("another request, offline: %v", err)
		}
	})
}

func TestGivenFiles(t *testing.T) {
	eachClient(t, func(t *testing.T, x *index) {
		x.add(t, "lib", "1.0")
		x.add(t, "big", "9.0", "lib")
		x.add(t, "deep", "1.0")
		dir := t.TempDir()
		local := saveWheel(t, dir, "local", "3.0+here", "py3-none-any", "lib", "given>=2")
		set, err := Resolve(t.Context(), Options{
			Request:  *arguments(t, local),
			Provided: []Provided{{Name: "Given", Version: "2.5", RequiresDist: []string{"deep", `nothing; sys_platform == "linux"`}, File: "given-wasi.tar.gz"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := versions(set); got != "deep==1.0 lib==1.0 local==3.0+here" || set.Wheels[2].Source != SourceFile || set.Wheels[2].Path() != local {
			t.Errorf("got %s: %+v", got, set.Wheels)
		}
		_, err = Resolve(t.Context(), Options{Request: *arguments(t, local), Provided: []Provided{{Name: "given", Version: "1.0"}}})
		if !errors.Is(err, ErrConflict) || !strings.Contains(err.Error(), "given") {
			t.Errorf("the wrong version is there: %v", err)
		}
		// A direct reference.
		file := x.add(t, "direct", "1.0", "lib")
		set, err = Resolve(t.Context(), Options{Request: *arguments(t, "direct @ "+x.URL+"/files/"+file)})
		if err != nil || versions(set) != "direct==1.0 lib==1.0" || set.Wheels[0].Source != SourceURL || set.Wheels[0].URL != x.URL+"/files/"+file {
			t.Errorf("a URL: %v, %+v", err, set)
		}
	})
	_, err := FromArguments([]string{saveWheel(t, t.TempDir(), "x", "1", "cp312-cp312-win_amd64")})
	if !errors.Is(err, ErrNoWheel) || !strings.Contains(err.Error(), "cp312-cp312-win_amd64") || !strings.Contains(err.Error(), wasiTag) {
		t.Errorf("another platform's file: %v", err)
	}
	for _, argument := range []string{"./nothing-1.0-py3-none-any.whl", "a b", "git+https://example.org/x", "x @ git+https://example.org/x", "x @ file:///tmp/x.tar.gz", "=1"} {
		if _, err := FromArguments([]string{argument}); !errors.Is(err, ErrInput) {
			t.Errorf("%s: %v", argument, err)
		}
	}
}

func TestNothing(t *testing.T) {
	set, err := Resolve(t.Context(), Options{Request: *arguments(t, `x; sys_platform == "win32"`), Offline: true})
	if err != nil || len(set.Wheels) != 0 || !set.Cached {
		t.Errorf("got %v, %+v", err, set)
	}
}
