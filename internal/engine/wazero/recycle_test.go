package wazero

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/eryx-build/eryx/internal/engine"
	"github.com/eryx-build/eryx/internal/wasm"
)

func loadNative(t testing.TB) engine.Module {
	t.Helper()
	e := newEngine(t)
	native := precompiled(t, e)
	m := load(t, e, ship(t, native.Target, native.Data, "").code)
	if !m.(*module).program.recyclable {
		t.Fatal("the test guest cannot be recycled")
	}
	return m
}

func coreOf(i engine.Instance) *core { return i.(*instance).core }

func closeInstance(t testing.TB, i engine.Instance) {
	t.Helper()
	if err := i.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestRecycledIsAsNew changes all that a guest can change and looks whether the
// next instance, made of the same core, knows.
func TestRecycledIsAsNew(t *testing.T) {
	m := loadNative(t)
	data := pattern(100_000)
	mapped := fileImage(t, data, 4)
	for _, c := range []struct {
		name  string
		image *engine.Image
		kept  bool // the pages that were written
	}{
		{"mapped", mapped, true},
		{"copied", &engine.Image{Data: data, Size: 4 * engine.PageSize}, false},
		{"mapped after copied", mapped, true},
		{"another image", fileImage(t, pattern(70_000)[1:], 4), true},
		{"more than is kept", fileImage(t, data, 4+keptPages/engine.PageSize), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			image := c.image
			one, err := m.Instantiate(t.Context(), engine.InstanceConfig{
				Host: &testHost{}, Image: image, Globals: map[string]uint64{"__stack_pointer": 77, "heap": 100_000},
			})
			if err != nil {
				t.Fatal(err)
			}
			all, _ := one.Memory().View(0, uint32(image.Size))
			for i := range all {
				all[i] = 0xa5
			}
			if _, err := one.Realloc(t.Context(), 0, 0, 1, 1000); err != nil {
				t.Fatal(err)
			}
			used := coreOf(one)
			view := one.Memory()
			closeInstance(t, one)
			if _, ok := view.View(0, 1); ok || view.Size() != 0 {
				t.Error("the memory of a closed instance can be viewed")
			}
			// Memory that was given up cannot even be read.
			if kept := used.image == image; mapsFiles && kept != c.kept {
				t.Errorf("the idle memory is the image: %v", kept)
			} else if kept && !bytes.Equal(used.linear.bytes, expected(image)) {
				t.Error("the idle memory is not the image")
			}

			two, err := m.Instantiate(t.Context(), engine.InstanceConfig{Host: &testHost{}, Image: image})
			if err != nil {
				t.Fatal(err)
			}
			defer closeInstance(t, two)
			if mapsFiles && coreOf(two) != used {
				t.Error("the core was not used again")
			}
			all, _ = two.Memory().View(0, uint32(image.Size))
			if !bytes.Equal(all, expected(image)) {
				t.Error("the memory is not the image")
			}
			for name, want := range map[string]uint64{"__stack_pointer": 4096, "heap": 65536, "__eryx_fuel": 1000, "constant": 7} {
				if got, err := two.Global(name); err != nil || got != want {
					t.Errorf("global %s = %d, %v; want %d", name, got, err, want)
				}
			}
			if got := call(t, two, "indirect", 0); got != 42 {
				t.Errorf("indirect = %d", got)
			}
		})
	}
}

// TestNotRecycled has instances that must not be used again.
func TestNotRecycled(t *testing.T) {
	image := &engine.Image{Data: pattern(1000), Size: 3 * engine.PageSize}
	for name, c := range map[string]struct {
		use          func(i engine.Instance) error
		image        *engine.Image
		memoryLimit  uint64
		expectedSize uint64
	}{
		"trapped": {use: func(i engine.Instance) error { _, err := i.Call(t.Context(), "unreachable"); return err }},
		"host error": {use: func(i engine.Instance) error {
			_, err := i.Call(t.Context(), "call", 1)
			return err
		}},
		"grown": {use: func(i engine.Instance) error {
			_, err := i.Call(t.Context(), "grow", 1)
			return errors.Join(err, errors.New("just so"))
		}},
		"smaller image": {image: &engine.Image{Size: 2 * engine.PageSize}},
		"higher limit":  {memoryLimit: 1 << 30},
	} {
		t.Run(name, func(t *testing.T) {
			m := loadNative(t)
			host := &testHost{call: func(context.Context, engine.Guest, uint32) (uint32, error) { return 0, errors.New("no") }}
			one, err := m.Instantiate(t.Context(), engine.InstanceConfig{Image: image, Host: host, MemoryLimit: 1 << 24})
			if err != nil {
				t.Fatal(err)
			}
			if c.use != nil && c.use(one) == nil {
				t.Error("no error")
			}
			used := coreOf(one)
			closeInstance(t, one)
			next := engine.InstanceConfig{Image: image, MemoryLimit: 1 << 24}
			if c.image != nil {
				next.Image = c.image
			}
			if c.memoryLimit != 0 {
				next.MemoryLimit = c.memoryLimit
			}
			two, err := m.Instantiate(t.Context(), next)
			if err != nil {
				t.Fatal(err)
			}
			defer closeInstance(t, two)
			if coreOf(two) == used {
				t.Error("the core was used again")
			}
			if two.Memory().Size() != next.Image.Size {
				t.Errorf("memory has %d bytes", two.Memory().Size())
			}
		})
	}
}

// TestRecycledLimit gives a core a lower limit and a larger image than before.
func TestRecycledLimit(t *testing.T) {
	m := loadNative(t)
	one, err := m.Instantiate(t.Context(), engine.InstanceConfig{Image: &engine.Image{Size: 2 * engine.PageSize}, MemoryLimit: 100 * engine.PageSize})
	if err != nil {
		t.Fatal(err)
	}
	used := coreOf(one)
	closeInstance(t, one)
	two, err := m.Instantiate(t.Context(), engine.InstanceConfig{Image: &engine.Image{Data: []byte("x"), Size: 4 * engine.PageSize}, MemoryLimit: 5 * engine.PageSize})
	if err != nil {
		t.Fatal(err)
	}
	defer closeInstance(t, two)
	if mapsFiles && coreOf(two) != used {
		t.Error("the core was not used again")
	}
	if size := call(t, two, "size"); size != 4 {
		t.Errorf("size = %d pages", size)
	}
	if got := call(t, two, "load", 4*engine.PageSize-4); got != 0 {
		t.Errorf("load = %d", got)
	}
	if old := call(t, two, "grow", 1); old != 4 {
		t.Errorf("grow = %d", int32(old))
	}
	if old := int32(call(t, two, "grow", 1)); old != -1 {
		t.Errorf("grow beyond the limit = %d", old)
	}
}

func TestIdleCoresAreFew(t *testing.T) {
	m := loadNative(t)
	image := &engine.Image{Size: 2 * engine.PageSize}
	var open []engine.Instance
	for range 3 * maxIdle() {
		i, err := m.Instantiate(t.Context(), engine.InstanceConfig{Image: image})
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, i)
	}
	var group sync.WaitGroup
	for _, i := range open {
		group.Go(func() {
			if err := i.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	p := m.(*module).program
	if n := len(p.idle); mapsFiles && n != maxIdle() {
		t.Errorf("%d idle cores instead of %d", n, maxIdle())
	}
	if err := m.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if len(p.idle) > 0 {
		t.Error("idle cores are left after the module was closed")
	}
}

func TestCloseWhileRunning(t *testing.T) {
	m := loadGuest(t)
	host := &testHost{call: func(ctx context.Context, g engine.Guest, _ uint32) (uint32, error) {
		return 5, g.(engine.Instance).Close(ctx)
	}}
	i := instantiate(t, m, engine.InstanceConfig{Host: host})
	if _, err := i.Call(t.Context(), "call", 1); !errors.Is(err, errRunning) {
		t.Errorf("close while running: %v", err)
	}
}

func TestRecyclable(t *testing.T) {
	m, err := wasm.Parse(guestWasm)
	if err != nil {
		t.Fatal(err)
	}
	if !leavesTablesAlone(m) || len(initialGlobals(m)) != 3 {
		t.Errorf("the test guest: %v, %v", leavesTablesAlone(m), initialGlobals(m))
	}
	for _, code := range [][]byte{
		{0x41, 0, 0xd0, 0x70, 0x26, 0},              // table.set
		{0xd0, 0x70, 0x41, 1, 0xfc, 15, 0, 0x1a},    // table.grow
		{0x41, 0, 0xd0, 0x70, 0x41, 0, 0xfc, 17, 0}, // table.fill
		{0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 14, 0, 0}, // table.copy
		{0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 12, 0, 0}, // table.init
		{0xfc, 13, 0}, // elem.drop
		{0xff},        // unknown
	} {
		changed := *m
		changed.Code = append([][]byte{wasm.JoinBody(nil, append(code, 0x0b))}, m.Code...)
		if leavesTablesAlone(&changed) {
			t.Errorf("%x is overlooked", code)
		}
	}
	hidden := *m
	hidden.Exports = nil
	if initialGlobals(&hidden) != nil {
		t.Error("globals without exports are overlooked")
	}
}
