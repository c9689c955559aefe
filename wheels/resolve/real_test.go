package resolve

import (
	"errors"
	"strings"
	"testing"

	"github.com/eryx-build/eryx/internal/cache"
)

// TestRealPackages asks the package client of whoever runs the tests, for
// packages that everybody uses.
func TestRealPackages(t *testing.T) {
	c := openCache(t)
	var told []string
	request := arguments(t, "requests", "python-dateutil", "rich", "sympy", "networkx", "attrs", "httpx", `colorama; sys_platform == "win32"`)
	set, err := Resolve(t.Context(), Options{Request: *request, Cache: c, Progress: func(m string) { told = append(told, m) }})
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]Wheel{}
	for _, w := range set.Wheels {
		have[w.Name] = w
		if cache.Digest(w.Data()) != w.SHA256 || int64(len(w.Data())) != w.Size {
			t.Errorf("%s: content and pin differ", w.File)
		}
	}
	for _, name := range []string{"requests", "urllib3", "idna", "certifi", "charset-normalizer", "python-dateutil", "rich", "pygments", "sympy", "mpmath", "networkx", "attrs", "httpx", "anyio", "httpcore"} {
		if _, ok := have[name]; !ok {
			t.Errorf("%s is not among them", name)
		}
	}
	if _, ok := have["colorama"]; ok {
		t.Error("colorama is for Windows only")
	}
	if text := strings.Join(told, "\n"); !strings.Contains(text, "resolving requests") || !strings.Contains(text, "fetching ") {
		t.Errorf("told: %s", text)
	}

	t.Setenv("PATH", t.TempDir())
	again, err := Resolve(t.Context(), Options{Request: *request, Cache: c, Offline: true})
	if err != nil {
		t.Fatal(err)
	}
	if !again.Cached || string(again.Lock.Text()) != string(set.Lock.Text()) {
		t.Errorf("cached %v, another lock:\n%s", again.Cached, again.Lock.Text())
	}
}

// TestRealNativePackages asks for packages of which there are only wheels of
// other platforms.
func TestRealNativePackages(t *testing.T) {
	for name, want := range map[string][]string{
		"lxml":                              {"lxml: no usable wheel", "manylinux", "cp314-cp314-wasi_wasm32", "`eryx-build wheel lxml"},
		"jinja2":                            {"markupsafe: no usable wheel", "required by jinja2 3.", "`eryx-build wheel markupsafe", "MarkupSafe"},
		"no-such-package-of-this-name-eryx": {"there is no such package", "check the spelling"},
	} {
		t.Run(name, func(t *testing.T) {
			c := openCache(t)
			_, err := Resolve(t.Context(), Options{Request: *arguments(t, name), Cache: c})
			if !errors.Is(err, ErrNoWheel) {
				t.Fatalf("got %v", err)
			}
			for _, part := range want {
				if !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(part)) {
					t.Errorf("%q is not in: %v", part, err)
				}
			}
			if name != "jinja2" {
				return
			}
			// With a wheel of what is missing, the newest is used.
			built := t.TempDir()
			saveWheel(t, built, "markupsafe", "3.0.4", wasiTag)
			set, err := Resolve(t.Context(), Options{Request: *arguments(t, name), FindLinks: []string{built}, Cache: c})
			if err != nil || len(set.Wheels) != 2 || set.Wheels[0].Version < "3.1" || set.Wheels[1].Source != SourceLinks || len(set.Notes) != 0 {
				t.Errorf("with a wheel: %v, %+v", err, set)
			}
		})
	}
}
