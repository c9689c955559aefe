package wazero

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/eryx-build/eryx/internal/engine"
	"github.com/eryx-build/eryx/internal/wasm"
)

// shipped is the test guest as a bundle has it, and counts what is used of it.
type shipped struct {
	code           engine.Code
	modules, opens atomic.Int64
	messages       []string
	messagesMutex  sync.Mutex
}

func precompiled(t testing.TB, e *Engine) *Native {
	t.Helper()
	native, err := e.Precompile(t.Context(), guestWasm, skeletonOf(t, guestWasm), PrecompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return native
}

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func ship(t testing.TB, target string, native []byte, cacheDir string) *shipped {
	t.Helper()
	s := &shipped{}
	s.code = engine.Code{
		Wasm: func() ([]byte, error) {
			s.modules.Add(1)
			return guestWasm, nil
		},
		Skeleton: skeletonOf(t, guestWasm),
		CacheDir: cacheDir,
		Notify: func(message string) {
			s.messagesMutex.Lock()
			defer s.messagesMutex.Unlock()
			s.messages = append(s.messages, message)
		},
	}
	if native != nil {
		s.code.Native = []engine.NativeCode{
			{Target: "another-engine", SHA256: strings.Repeat("0", 64), Open: func() ([]byte, error) {
				t.Error("code for another target was opened")
				return nil, errors.New("not for you")
			}},
			{Target: target, SHA256: digestOf(native), Open: func() ([]byte, error) {
				s.opens.Add(1)
				return native, nil
			}},
		}
	}
	return s
}

// run loads what is shipped with an engine of its own and runs it.
func (s *shipped) run(t testing.TB) *program {
	t.Helper()
	m := load(t, newEngine(t), s.code)
	image := &engine.Image{Data: []byte("image"), Size: 2 * engine.PageSize}
	i := instantiate(t, m, engine.InstanceConfig{Image: image})
	if got := call(t, i, "indirect", 0); got != 42 {
		t.Errorf("indirect = %d", got)
	}
	if got := call(t, i, "add", 40, 2); got != 42 {
		t.Errorf("add = %d", got)
	}
	return m.(*module).program
}

func (s *shipped) used(t testing.TB, what string, modules, opens, messages int) {
	t.Helper()
	if m, o, n := int(s.modules.Load()), int(s.opens.Load()), len(s.messages); m != modules || o != opens || n != messages {
		t.Errorf("%s: module read %d times, native code %d times, %d messages %q; want %d, %d, %d", what, m, o, n, s.messages, modules, opens, messages)
	}
}

func TestNativeCode(t *testing.T) {
	e := newEngine(t)
	native := precompiled(t, e)
	if native.Target != e.Target() || !strings.HasPrefix(native.Target, "wazero-") {
		t.Errorf("target %q", native.Target)
	}
	for name, dir := range map[string]string{"cached": filepath.Join(t.TempDir(), "to", "be", "made"), "uncached": ""} {
		s := ship(t, native.Target, native.Data, dir)
		if p := s.run(t); !p.skeleton {
			t.Errorf("%s: the whole module was used", name)
		}
		s.used(t, name, 0, 1, 0)
		s.run(t)
		if dir != "" {
			s.used(t, name+", again", 0, 1, 0)
			noStages(t, dir)
		} else {
			s.used(t, name+", again", 0, 2, 0)
		}
	}
	if again := precompiled(t, newEngine(t)); !bytes.Equal(again.Data, native.Data) {
		t.Error("precompiling twice gives different bytes")
	}
}

func noStages(t testing.TB, dir string) {
	t.Helper()
	if left, _ := filepath.Glob(filepath.Join(dir, stagePrefix+"*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestPrecompileUsesTheCache(t *testing.T) {
	dir := t.TempDir()
	load(t, newEngine(t), engine.Code{Wasm: given(guestWasm), CacheDir: dir})
	native, err := newEngine(t).Precompile(t.Context(), guestWasm, skeletonOf(t, guestWasm), PrecompileOptions{
		CacheDir: dir,
		Notify:   func(message string) { t.Errorf("compiled again: %s", message) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(native.Data, precompiled(t, newEngine(t)).Data) {
		t.Error("the cache changes what is precompiled")
	}
	noStages(t, dir)
}

func TestWholeModuleIsCached(t *testing.T) {
	dir := t.TempDir()
	messages := 0
	for range 3 {
		load(t, newEngine(t), engine.Code{Wasm: given(guestWasm), CacheDir: dir, Notify: func(string) { messages++ }})
	}
	if messages != 1 {
		t.Errorf("compiled %d times", messages)
	}
}

func TestMissIsCompiledOnce(t *testing.T) {
	dir := t.TempDir()
	s := ship(t, "", nil, dir)
	if p := s.run(t); p.skeleton {
		t.Error("a skeleton was used without native code")
	}
	s.used(t, "first", 1, 0, 1)
	if p := s.run(t); !p.skeleton {
		t.Error("the compiled code was not kept for the skeleton")
	}
	s.used(t, "second", 1, 0, 1)
	noStages(t, dir)
}

// TestUnusableNativeCode alters native code in all sorts of ways. Each time the
// module is compiled instead, and says so.
func TestUnusableNativeCode(t *testing.T) {
	e := newEngine(t)
	native := precompiled(t, e)
	altered := func(change func(b []byte) []byte) []byte { return change(bytes.Clone(native.Data)) }
	described, code, err := decodeNative(native.Data)
	if err != nil {
		t.Fatal(err)
	}
	redescribed := func(change func(e *entry)) []byte {
		d := *described
		change(&d)
		data, err := encodeNative(&d, code)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	other, err := e.Precompile(t.Context(), activeWasm, skeletonOf(t, activeWasm), PrecompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"empty":          {},
		"cut off":        native.Data[:len(native.Data)-1],
		"no description": []byte(nativeMagic),
		"huge description": altered(func(b []byte) []byte {
			copy(b[len(nativeMagic):], "\xff\xff\xff\xff")
			return b
		}),
		"not JSON":           altered(func(b []byte) []byte { b[len(nativeMagic)+4] = '!'; return b }),
		"another format":     altered(func(b []byte) []byte { b[len(nativeMagic)-2]++; return b }),
		"a bit of the code":  altered(func(b []byte) []byte { b[len(nativeMagic)+4+600] ^= 1; return b }),
		"a bit at the end":   altered(func(b []byte) []byte { b[len(b)-1] ^= 1; return b }),
		"path":               redescribed(func(e *entry) { e.Directory = "../wazero-x" }),
		"name":               redescribed(func(e *entry) { e.Name = "../" + e.Name[3:] }),
		"name of another":    redescribed(func(e *entry) { e.Name = strings.Repeat("0", 64) }),
		"directory of other": redescribed(func(e *entry) { e.Directory = "wazero-v0.0.0-amd64-plan9" }),
		"functions":          redescribed(func(e *entry) { e.Functions++ }),
		"size":               redescribed(func(e *entry) { e.Size++ }),
		"code range":         redescribed(func(e *entry) { e.Code = e.Size; e.CodeSize = 1 }),
		"digest":             redescribed(func(e *entry) { e.Digest = strings.Repeat("0", 64) }),
		"another module's":   other.Data,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := ship(t, native.Target, data, dir)
			if p := s.run(t); p.skeleton {
				t.Error("it was used")
			}
			s.used(t, "first", 1, 1, 1)
			s.run(t)
			s.used(t, "second", 1, 1, 1)
			noStages(t, dir)
		})
	}
	t.Run("wrong digest", func(t *testing.T) {
		for _, digest := range []string{digestOf([]byte("other")), "", "../../..", strings.Repeat("z", 64)} {
			s := ship(t, native.Target, native.Data, t.TempDir())
			s.code.Native[1].SHA256 = digest
			s.run(t)
			if len(s.messages) != 1 || !strings.Contains(s.messages[0], "digest") {
				t.Errorf("digest %q: %q", digest, s.messages)
			}
		}
	})
	t.Run("no module either", func(t *testing.T) {
		s := ship(t, native.Target, native.Data[:100], t.TempDir())
		s.code.Wasm = nil
		if _, err := newEngine(t).Load(t.Context(), s.code, testFunctions()); err == nil || !strings.Contains(err.Error(), "native code") {
			t.Errorf("load = %v", err)
		}
	})
}

// TestDamagedCache alters what is in the cache directory.
func TestDamagedCache(t *testing.T) {
	e := newEngine(t)
	native := precompiled(t, e)
	for name, damage := range map[string]func(file string, content []byte) error{
		"removed":   func(file string, _ []byte) error { return os.Remove(file) },
		"truncated": func(file string, content []byte) error { return os.Truncate(file, int64(len(content)-1)) },
		"offsets": func(file string, content []byte) error {
			content[len("WAZEVO")+1+len("dev")+5] ^= 0x10
			return os.WriteFile(file, content, 0o600)
		},
		"machine code": func(file string, content []byte) error {
			content[len(content)/2] ^= 0x10
			return os.WriteFile(file, content, 0o600)
		},
		"description": func(file string, _ []byte) error {
			return os.WriteFile(filepath.Join(filepath.Dir(filepath.Dir(file)), descriptionFile), []byte("{}"), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := ship(t, native.Target, native.Data, dir)
			s.run(t)
			found, err := filepath.Glob(filepath.Join(dir, nativePrefix+"*", "wazero-*", "*"))
			if err != nil || len(found) != 1 {
				t.Fatalf("in the cache: %v, %v", found, err)
			}
			content, err := os.ReadFile(found[0])
			if err != nil {
				t.Fatal(err)
			}
			if err := damage(found[0], content); err != nil {
				t.Fatal(err)
			}
			if p := s.run(t); !p.skeleton {
				t.Error("native code was not expanded again")
			}
			s.used(t, "after damage", 0, 2, 0)
			s.run(t)
			s.used(t, "after repair", 0, 2, 0)
		})
	}
}

// TestSkeletonNeverRuns opens skeletons without their native code.
func TestSkeletonNeverRuns(t *testing.T) {
	skeleton := skeletonOf(t, guestWasm)
	empty := t.TempDir()
	if _, err := openCached(t.Context(), skeleton, empty); !errors.Is(err, errMiss) {
		t.Errorf("open a skeleton in an empty cache: %v", err)
	}
	if _, err := observeEntry(empty); err == nil {
		t.Error("the skeleton was compiled into the cache")
	}
	s := ship(t, "", nil, "")
	s.code.Wasm = nil
	if _, err := newEngine(t).Load(t.Context(), s.code, testFunctions()); err == nil {
		t.Error("a skeleton alone was loaded")
	}
	e := newEngine(t)
	native := precompiled(t, e)
	s = ship(t, native.Target, native.Data, "")
	m := load(t, e, s.code)
	if _, err := m.Instantiate(t.Context(), engine.InstanceConfig{}); err == nil {
		t.Error("an instance without data was created")
	}
	// Its data segments are empty, so that booting it traps.
	i := instantiate(t, m, engine.InstanceConfig{Image: &engine.Image{Size: 2 * engine.PageSize}})
	var trap *engine.TrapError
	if _, err := i.Call(t.Context(), "boot"); !errors.As(err, &trap) {
		t.Errorf("boot = %v", err)
	}
}

func TestPrecompileRefuses(t *testing.T) {
	sum := sha256.Sum256(guestWasm)
	digest := hex.EncodeToString(sum[:])
	parsed := func(change func(m *wasm.Module)) []byte {
		m, err := wasm.Parse(guestWasm)
		if err != nil {
			t.Fatal(err)
		}
		change(m)
		return wasm.Skeleton(m, digest)
	}
	e := newEngine(t)
	for name, skeleton := range map[string][]byte{
		"garbage":         []byte("garbage"),
		"another module":  skeletonOf(t, activeWasm),
		"fewer functions": parsed(func(m *wasm.Module) { m.Functions = m.Functions[1:]; m.Code = m.Code[1:] }),
		"no data":         parsed(func(m *wasm.Module) { m.Data, m.DataCount = nil, nil }),
		"more memory":     parsed(func(m *wasm.Module) { m.Memories[0].Min++ }),
		"another digest":  bytes.Replace(skeletonOf(t, guestWasm), []byte(digest), []byte(digest[1:]+"0"), 1),
		"no digest":       bytes.Replace(skeletonOf(t, guestWasm), []byte(wasm.SkeletonSection), []byte("eryx.nodule"), 1),
	} {
		if _, err := e.Precompile(t.Context(), guestWasm, skeleton, PrecompileOptions{}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	cancel(enough)
	if _, err := e.Precompile(ctx, guestWasm, skeletonOf(t, guestWasm), PrecompileOptions{}); !errors.Is(err, enough) {
		t.Errorf("precompile after cancellation: %v", err)
	}
}

func TestUnwritableCache(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	native := precompiled(t, newEngine(t))
	for range 2 {
		s := ship(t, native.Target, native.Data, filepath.Join(file, "cache"))
		if p := s.run(t); !p.skeleton {
			t.Error("native code was not used")
		}
		s.used(t, "unwritable", 0, 1, 0)
	}
	s := ship(t, "", nil, filepath.Join(file, "cache"))
	s.run(t)
	s.used(t, "unwritable, compiled", 1, 0, 1)
}

func TestConcurrentLoads(t *testing.T) {
	native := precompiled(t, newEngine(t))
	for name, data := range map[string][]byte{"native": native.Data, "compiled": nil} {
		dir := t.TempDir()
		s := ship(t, native.Target, data, dir)
		shared := newEngine(t)
		var group sync.WaitGroup
		for n := range 12 {
			group.Go(func() {
				// Half of them stand for other processes.
				e := shared
				if n%2 == 1 {
					e, _ = New(t.Context(), Config{})
					defer e.Close(context.Background())
				}
				m, err := e.Load(t.Context(), s.code, testFunctions())
				if err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
				i, err := m.Instantiate(t.Context(), engine.InstanceConfig{Image: &engine.Image{Size: 2 * engine.PageSize}})
				if err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
				defer i.Close(t.Context())
				if got, err := i.Call(t.Context(), "add", 1, 2); err != nil || got[0] != 3 {
					t.Errorf("%s: add = %v, %v", name, got, err)
				}
			})
		}
		group.Wait()
		noStages(t, dir)
		s.messages = nil
		s.run(t)
		if len(s.messages) > 0 {
			t.Errorf("%s: compiled again: %q", name, s.messages)
		}
	}
}

func FuzzDecodeNative(f *testing.F) {
	e, err := New(f.Context(), Config{})
	if err != nil {
		f.Fatal(err)
	}
	native := precompiled(f, e)
	f.Add(native.Data)
	f.Add([]byte(nativeMagic + "\x02\x00\x00\x00{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		described, code, err := decodeNative(data)
		if err != nil {
			return
		}
		root := t.TempDir()
		if rel, err := filepath.Rel(root, described.path(root)); err != nil || strings.Contains(rel, "..") {
			t.Errorf("%q leads out of its directory", rel)
		}
		again, err := encodeNative(described, code)
		if err != nil {
			t.Fatal(err)
		}
		if _, same, err := decodeNative(again); err != nil || !bytes.Equal(same, code) {
			t.Errorf("decoding what was encoded: %v", err)
		}
	})
}
