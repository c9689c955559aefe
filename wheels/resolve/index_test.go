package resolve

import (
	"archive/zip"
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/eryx-build/eryx/internal/cache"
	"github.com/eryx-build/eryx/internal/pyclient"
	"github.com/eryx-build/eryx/internal/testtool"
	"github.com/eryx-build/eryx/wheels"
)

// index is a package index on this machine, of the simple kind, for the real
// clients to ask.
type index struct {
	URL string

	mu       sync.Mutex
	files    map[string][]byte // by name
	links    map[string]string // attributes of the links
	noHash   map[string]bool
	altered  map[string]bool // served with other content than announced
	requests int
}

// newIndex starts one and makes it the only one that clients know.
func newIndex(t *testing.T) *index {
	t.Helper()
	x := &index{files: map[string][]byte{}, links: map[string]string{}, noHash: map[string]bool{}, altered: map[string]bool{}}
	server := httptest.NewServer(x)
	t.Cleanup(server.Close)
	x.URL = server.URL
	x.use(t, server.URL+"/simple")
	return x
}

// use makes an index the only one that clients know.
func (x *index) use(t *testing.T, url string) {
	t.Helper()
	for name, value := range map[string]string{
		"PIP_CONFIG_FILE": os.DevNull, "PIP_INDEX_URL": url, "PIP_EXTRA_INDEX_URL": "", "PIP_FIND_LINKS": "", "PIP_NO_CACHE_DIR": "1",
		"PIP_RETRIES": "1", "PIP_DEFAULT_TIMEOUT": "20",
		"UV_DEFAULT_INDEX": url, "UV_INDEX": "", "UV_FIND_LINKS": "", "UV_NO_CONFIG": "1", "UV_CACHE_DIR": t.TempDir(), "UV_HTTP_RETRIES": "0",
	} {
		t.Setenv(name, value)
	}
}

func (x *index) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.requests++
	if name, ok := strings.CutPrefix(r.URL.Path, "/files/"); ok {
		data, found := x.files[name]
		if !found {
			http.NotFound(w, r)
			return
		}
		if x.altered[name] {
			data = append(bytes.Clone(data), 0)
		}
		_, _ = w.Write(data)
		return
	}
	name := strings.Trim(strings.TrimPrefix(r.URL.Path, "/simple/"), "/")
	var page strings.Builder
	for file, data := range x.files {
		of, _, _ := strings.Cut(file, "-")
		if wheels.NormalizeName(of) != name {
			continue
		}
		fragment := "#sha256=" + cache.Digest(data)
		if x.noHash[file] {
			fragment = ""
		}
		fmt.Fprintf(&page, "<a href=\"/files/%s%s\" %s>%s</a>\n", file, fragment, x.links[file], file)
	}
	if page.Len() == 0 {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html")
	fmt.Fprintf(w, "<!DOCTYPE html><html><body>%s</body></html>", &page)
}

func (x *index) count() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.requests
}

// add offers a wheel for any platform.
func (x *index) add(t *testing.T, name, version string, requires ...string) string {
	t.Helper()
	return x.addFor(t, name, version, "py3-none-any", requires...)
}

// addFor offers a wheel with that tag.
func (x *index) addFor(t *testing.T, name, version, tag string, requires ...string) string {
	t.Helper()
	file, data := makeWheel(t, name, version, tag, requires...)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.files[file] = data
	return file
}

// makeWheel makes a wheel with one module.
func makeWheel(t *testing.T, name, version, tag string, requires ...string) (file string, data []byte) {
	t.Helper()
	stem := strings.ReplaceAll(name, "-", "_") + "-" + version
	var metadata strings.Builder
	fmt.Fprintf(&metadata, "Metadata-Version: 2.1\nName: %s\nVersion: %s\n", name, version)
	for _, text := range requires {
		if python, ok := strings.CutPrefix(text, "python:"); ok {
			fmt.Fprintf(&metadata, "Requires-Python: %s\n", python)
			continue
		}
		if extra, ok := strings.CutPrefix(text, "extra:"); ok {
			fmt.Fprintf(&metadata, "Provides-Extra: %s\n", extra)
			continue
		}
		fmt.Fprintf(&metadata, "Requires-Dist: %s\n", text)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range [][2]string{
		{strings.ReplaceAll(name, "-", "_") + ".py", "version = '" + version + "'\n"},
		{stem + ".dist-info/METADATA", metadata.String()},
		{stem + ".dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: " + tag + "\n"},
		{stem + ".dist-info/RECORD", strings.ReplaceAll(name, "-", "_") + ".py,,\n" + stem + ".dist-info/METADATA,,\n" + stem + ".dist-info/WHEEL,,\n" + stem + ".dist-info/RECORD,,\n"},
	} {
		m, err := w.Create(f[0])
		if err == nil {
			_, err = m.Write([]byte(f[1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return stem + "-" + tag + ".whl", out.Bytes()
}

// saveWheel writes a wheel into a directory.
func saveWheel(t *testing.T, dir, name, version, tag string, requires ...string) string {
	t.Helper()
	file, data := makeWheel(t, name, version, tag, requires...)
	path := filepath.Join(dir, file)
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

const (
	linuxTag = "cp314-cp314-manylinux_2_28_x86_64"
	wasiTag  = "cp314-cp314-wasi_wasm32"
)

// eachClient runs a test with pip and with uv.
func eachClient(t *testing.T, test func(t *testing.T, x *index)) {
	t.Run("pip", func(t *testing.T) {
		x := newIndex(t)
		t.Setenv(pyclient.EnvClient, "python3 -m pip")
		test(t, x)
	})
	t.Run("uv", func(t *testing.T) {
		x := newIndex(t)
		t.Setenv(pyclient.EnvClient, testtool.UV(t))
		test(t, x)
	})
}

// versions are a set's packages as name==version.
func versions(s *Set) string {
	var list []string
	for _, w := range s.Wheels {
		list = append(list, w.Name+"=="+w.Version)
	}
	return strings.Join(list, " ")
}
