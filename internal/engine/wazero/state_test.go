package wazero

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx/internal/engine"
)

// images are the ways that an image can become an instance's memory.
func images(t testing.TB) map[string]*engine.Image {
	data := pattern(200_001) // ends within a page
	return map[string]*engine.Image{
		"mapped": fileImage(t, data, 8),
		"copied": {Data: data, Size: 8 * engine.PageSize},
	}
}

func start(t testing.TB, m engine.Module, config engine.InstanceConfig) engine.Instance {
	t.Helper()
	if config.Host == nil {
		config.Host = &testHost{}
	}
	i, err := m.Instantiate(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeInstance(t, i) })
	return i
}

func contents(t testing.TB, i engine.Instance) []byte {
	t.Helper()
	all, ok := i.Memory().View(0, uint32(i.Memory().Size()))
	if !ok {
		t.Fatal("no view of the memory")
	}
	return all
}

// expected is the memory that an image stands for.
func expected(image *engine.Image) []byte {
	all := make([]byte, image.Size)
	copy(all, image.Data)
	return all
}

var mutable = []string{"__stack_pointer", "heap", "__eryx_fuel"}

// TestResetLeavesNothing overwrites the memory in many ways, resets it and
// compares every byte and global.
func TestResetLeavesNothing(t *testing.T) {
	m := loadNative(t)
	for name, image := range images(t) {
		t.Run(name, func(t *testing.T) {
			config := engine.InstanceConfig{Host: &testHost{}, Image: image, Globals: map[string]uint64{"heap": 100_000}}
			i := start(t, m, config)
			want := expected(image)
			for what, write := range map[string]func(all []byte){
				"nothing":          func([]byte) {},
				"the first byte":   func(all []byte) { all[0] ^= 0xff },
				"the last byte":    func(all []byte) { all[len(all)-1] = 1 },
				"the data's end":   func(all []byte) { copy(all[len(image.Data)-10:], bytes.Repeat([]byte{0xa5}, 20)) },
				"behind the data":  func(all []byte) { copy(all[len(image.Data)+5000:], bytes.Repeat([]byte{0xa5}, 9000)) },
				"every other page": func(all []byte) { everyOther(all) },
				"everything":       func(all []byte) { copy(all, bytes.Repeat([]byte{0xa5}, len(all))) },
			} {
				write(contents(t, i))
				for n, name := range mutable {
					if err := i.SetGlobal(name, uint64(4711+n)); err != nil {
						t.Fatal(err)
					}
				}
				host := &testHost{}
				config.Host = host
				if mapsFiles {
					if err := i.Reset(t.Context(), config); err != nil {
						t.Fatalf("%s: %v", what, err)
					}
				}
				if !bytes.Equal(contents(t, i), want) {
					t.Errorf("%s: the memory is not the image", what)
				}
				for name, want := range map[string]uint64{"__stack_pointer": 4096, "heap": 100_000, "__eryx_fuel": 1000} {
					if got, err := i.Global(name); err != nil || got != want {
						t.Errorf("%s: global %s = %d, %v; want %d", what, name, got, err, want)
					}
				}
				if i.Host() != host {
					t.Errorf("%s: another host", what)
				}
			}
			if state, err := i.Capture(nil); err != nil || len(state.Ranges) > 0 {
				t.Errorf("after a reset, %d ranges differ from the image, %v", len(state.Ranges), err)
			}
		})
	}
}

func everyOther(all []byte) {
	for at := 0; at < len(all); at += 2 * engine.StateUnit {
		all[at] ^= 0x55
	}
}

// TestResetGivesMemoryBack writes more than a reset instance may keep.
func TestResetGivesMemoryBack(t *testing.T) {
	m := loadNative(t)
	const pages = 8 + keptPages/engine.PageSize
	image := fileImage(t, pattern(200_001), pages)
	i := start(t, m, engine.InstanceConfig{Image: image})
	all := contents(t, i)
	copy(all, bytes.Repeat([]byte{0xa5}, len(all)))
	if err := i.Reset(t.Context(), engine.InstanceConfig{Image: image}); err != nil {
		t.Fatal(err)
	}
	private := 0
	if err := coreOf(i).linear.block.written(contents(t, i), func(start, end int) { private += end - start }); err != nil {
		t.Fatal(err)
	}
	if private > 2*engine.StateUnit { // the page in which the data ends
		t.Errorf("%d bytes are still private", private)
	}
	if !bytes.Equal(contents(t, i), expected(image)) {
		t.Error("the memory is not the image")
	}
}

func TestNoReset(t *testing.T) {
	m := loadNative(t)
	image := fileImage(t, pattern(1000), 4)
	tests := map[string]struct {
		use    func(i engine.Instance)
		config engine.InstanceConfig
	}{
		"grown":          {func(i engine.Instance) { call(t, i, "grow", 1) }, engine.InstanceConfig{Image: image}},
		"trapped":        {func(i engine.Instance) { _, _ = i.Call(t.Context(), "unreachable") }, engine.InstanceConfig{Image: image}},
		"another image":  {func(engine.Instance) {}, engine.InstanceConfig{Image: fileImage(t, pattern(1000), 4)}},
		"no image":       {func(engine.Instance) {}, engine.InstanceConfig{}},
		"larger":         {func(engine.Instance) {}, engine.InstanceConfig{Image: image, State: &engine.State{Size: 5 * engine.PageSize}}},
		"limit":          {func(engine.Instance) {}, engine.InstanceConfig{Image: image, MemoryLimit: 2 << 20}},
		"limit too low":  {func(engine.Instance) {}, engine.InstanceConfig{Image: image, MemoryLimit: engine.PageSize}},
		"nothing at all": {func(i engine.Instance) {}, engine.InstanceConfig{Image: image, MemoryLimit: 3 * engine.PageSize}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			i := start(t, m, engine.InstanceConfig{Image: image, MemoryLimit: 1 << 20})
			tt.use(i)
			config := tt.config
			if config.MemoryLimit == 0 {
				config.MemoryLimit = 1 << 20
			}
			if err := i.Reset(t.Context(), config); !errors.Is(err, engine.ErrNoReset) {
				t.Errorf("Reset gives %v", err)
			}
		})
	}
	t.Run("closed", func(t *testing.T) {
		i, err := m.Instantiate(t.Context(), engine.InstanceConfig{Host: &testHost{}, Image: image})
		if err != nil {
			t.Fatal(err)
		}
		closeInstance(t, i)
		if err := i.Reset(t.Context(), engine.InstanceConfig{Image: image}); !errors.Is(err, errInstanceClosed) {
			t.Errorf("Reset gives %v", err)
		}
		if _, err := i.Capture(nil); !errors.Is(err, errInstanceClosed) {
			t.Errorf("Capture gives %v", err)
		}
	})
	t.Run("running", func(t *testing.T) {
		var i engine.Instance
		host := &testHost{call: func(ctx context.Context, _ engine.Guest, _ uint32) (uint32, error) {
			if err := i.Reset(ctx, engine.InstanceConfig{Image: image}); !errors.Is(err, errRunning) {
				t.Errorf("Reset gives %v", err)
			}
			if _, err := i.Capture(nil); err == nil {
				t.Error("a running instance was captured")
			}
			return 0, nil
		}}
		i = start(t, m, engine.InstanceConfig{Image: image, Host: host})
		call(t, i, "call", 1)
	})
}

// TestCaptureAndRestore captures an instance and restores it, as a new one and
// in place of another.
func TestCaptureAndRestore(t *testing.T) {
	m := loadNative(t)
	for name, image := range images(t) {
		t.Run(name, func(t *testing.T) {
			i := start(t, m, engine.InstanceConfig{Image: image, MemoryLimit: 1 << 20})
			all := contents(t, i)
			everyOther(all)
			all[len(all)-1] = 9
			if err := i.SetGlobal("heap", 4711); err != nil {
				t.Fatal(err)
			}
			want := slices.Clone(all)
			state, err := i.Capture(mutable)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[string]uint64{"heap": 4711, "__stack_pointer": 4096, "__eryx_fuel": 1000}, state.Globals); diff != "" {
				t.Error(diff)
			}
			size := 0
			for _, r := range state.Ranges {
				size += len(r.Data)
			}
			if size > len(all)/2+engine.StateUnit {
				t.Errorf("%d bytes were captured", size)
			}
			state = state.Clone()
			clear(all) // the state is a copy

			two := start(t, m, engine.InstanceConfig{Image: image, State: state, MemoryLimit: 1 << 20})
			if !bytes.Equal(contents(t, two), want) {
				t.Error("a new instance has another memory")
			}
			if heap, _ := two.Global("heap"); heap != 4711 {
				t.Errorf("a new instance has heap %d", heap)
			}
			if mapsFiles {
				err = i.Reset(t.Context(), engine.InstanceConfig{Image: image, State: state, MemoryLimit: 1 << 20})
				if err != nil || !bytes.Equal(contents(t, i), want) {
					t.Errorf("the instance that was reset has another memory: %v", err)
				}
			}

			call(t, two, "grow", 3)
			grown := contents(t, two)
			grown[len(grown)-1] = 77
			want = slices.Clone(grown)
			if state, err = two.Capture(mutable); err != nil {
				t.Fatal(err)
			}
			three := start(t, m, engine.InstanceConfig{Image: image, State: state, MemoryLimit: 1 << 20})
			if !bytes.Equal(contents(t, three), want) {
				t.Error("a grown instance has another memory")
			}
		})
	}
}

// TestHostileState has states that do not fit.
func TestHostileState(t *testing.T) {
	m := loadNative(t)
	image := fileImage(t, pattern(100_000), 4)
	unit := make([]byte, engine.StateUnit)
	at := func(offset uint64, data []byte) []engine.Range {
		return []engine.Range{{Offset: offset, Length: uint64(len(data)), Data: data}}
	}
	for name, state := range map[string]*engine.State{
		"size not pages":  {Size: 4*engine.PageSize + 1},
		"smaller":         {Size: 3 * engine.PageSize},
		"beyond limit":    {Size: 17 * engine.PageSize},
		"huge":            {Size: 1 << 63},
		"unaligned":       {Size: 4 * engine.PageSize, Ranges: at(100, unit)},
		"part of a unit":  {Size: 4 * engine.PageSize, Ranges: at(0, unit[1:])},
		"empty":           {Size: 4 * engine.PageSize, Ranges: at(0, nil)},
		"outside":         {Size: 4 * engine.PageSize, Ranges: at(4*engine.PageSize, unit)},
		"far outside":     {Size: 4 * engine.PageSize, Ranges: at(1<<64-engine.StateUnit, unit)},
		"no content":      {Size: 4 * engine.PageSize, Ranges: []engine.Range{{Length: engine.StateUnit}}},
		"other content":   {Size: 4 * engine.PageSize, Ranges: []engine.Range{{Length: 2 * engine.StateUnit, Data: unit}}},
		"overlap":         {Size: 4 * engine.PageSize, Ranges: append(at(0, append(unit, unit...)), at(engine.StateUnit, unit)...)},
		"order":           {Size: 4 * engine.PageSize, Ranges: append(at(engine.StateUnit, unit), at(0, unit)...)},
		"unknown global":  {Size: 4 * engine.PageSize, Globals: map[string]uint64{"nothing": 1}},
		"constant global": {Size: 4 * engine.PageSize, Globals: map[string]uint64{"constant": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			i, err := m.Instantiate(t.Context(), engine.InstanceConfig{Host: &testHost{}, Image: image, MemoryLimit: 1 << 20, State: state})
			if _, ok := errors.AsType[*engine.StateError](err); !ok {
				t.Errorf("Instantiate gives %v, %v", i, err)
			}
		})
	}
}

func TestSetHost(t *testing.T) {
	m := loadNative(t)
	called := map[int]int{}
	host := func(n int) *testHost {
		return &testHost{call: func(context.Context, engine.Guest, uint32) (uint32, error) { called[n]++; return 0, nil }}
	}
	i := start(t, m, engine.InstanceConfig{Image: fileImage(t, pattern(100), 4), Host: host(1)})
	call(t, i, "call", 1)
	i.SetHost(host(2))
	call(t, i, "call", 1)
	if !maps.Equal(called, map[int]int{1: 1, 2: 1}) {
		t.Errorf("calls: %v", called)
	}
}

func BenchmarkReset(b *testing.B) {
	m := loadNative(b)
	image := fileImage(b, pattern(11<<20), 200)
	i := start(b, m, engine.InstanceConfig{Image: image})
	all := contents(b, i)
	for b.Loop() {
		for n := range 90 {
			all[n*30*engine.StateUnit]++
		}
		if err := i.Reset(b.Context(), engine.InstanceConfig{Host: i.Host(), Image: image}); err != nil {
			b.Fatal(err)
		}
	}
}
