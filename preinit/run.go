package preinit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/eryx-build/eryx/internal/engine"
	"github.com/eryx-build/eryx/internal/guest"
	"github.com/eryx-build/eryx/internal/vfs"
	"github.com/eryx-build/eryx/internal/wasi"
)

// The exports that linking and metering add to the interpreter's.
const (
	bootExport         = "__eryx_boot"
	stackPointerExport = "__stack_pointer"
	fuelExport         = "__eryx_fuel"
)

// alwaysImported is imported first, before what is asked for: a script may
// await at its top level, and asyncio is slow to import.
const alwaysImported = "asyncio"

// DefaultMemoryLimit is what imports may use if [Options] does not say.
const DefaultMemoryLimit = 1 << 30

// Options says what to take an image of.
type Options struct {
	// Module is the linked and metered core module, loaded with the functions
	// of package wasi.
	Module engine.Module
	Images
	// Preimport are modules to import, in order.
	Preimport []string
	// Setup is source to run after the imports, nil for none, and SetupName
	// its name in tracebacks; "" is "<setup>".
	Setup     []byte
	SetupName string
	// HashSeed is the seed of str hashes in all sandboxes of the image.
	HashSeed uint32
	// StackLow is the lowest address of the guest's stack, of which nothing
	// that is left is of use. 0 keeps it in the image.
	StackLow uint32
	// MemoryLimit is in bytes; 0 is [DefaultMemoryLimit].
	MemoryLimit uint64
	// Output gets what imports and the setup script print; nil discards it.
	Output io.Writer
	// Progress, if not nil, is told the steps done and their number.
	Progress func(done, total int)
}

// Result is the state that sandboxes start from.
type Result struct {
	// Image is the memory's content from address 0; what follows up to Size
	// bytes is zero.
	Image []byte
	Size  uint64
	// Globals are the module's exported mutable globals.
	Globals map[string]uint64
	// Handles is what the guest holds of its host.
	Handles wasi.State
	// Modules is sys.modules, sorted.
	Modules []string
}

// Run boots an instance, imports what options say and takes its state. The
// same options give the same result. Errors of the imports are an
// [*ImportError], a [*SetupError] or a [*StateError].
func Run(ctx context.Context, options Options) (_ *Result, err error) {
	output := options.Output
	if output == nil {
		output = io.Discard
	}
	g, err := start(ctx, startOptions{
		module: options.Module, images: options.Images,
		hashSeed: options.HashSeed, memoryLimit: options.MemoryLimit,
		stdin: strings.NewReader(""), stdout: output, stderr: output,
	})
	if err != nil {
		return nil, err
	}
	defer g.closeInto(ctx, &err)

	modules := options.Preimport
	if !slices.Contains(modules, alwaysImported) {
		modules = append([]string{alwaysImported}, modules...)
	}
	total := len(modules) + 2 // the setup script and sealing
	progress := options.Progress
	if progress == nil {
		progress = func(int, int) {}
	}
	for i, module := range modules {
		progress(i, total)
		if err := g.preimport(ctx, module); err != nil {
			return nil, err
		}
	}
	progress(total-2, total)
	if options.Setup != nil {
		if err := g.setup(ctx, options.Setup, options.SetupName); err != nil {
			return nil, err
		}
	}
	progress(total-1, total)
	result, err := g.seal(ctx, options.StackLow)
	if err != nil {
		return nil, err
	}
	progress(total, total)
	return result, nil
}

// instance is a started guest and its world.
type instance struct {
	engine.Instance
	client guest.Client
	host   *wasi.Host
	files  *vfs.FS
	// known are the problems that have been reported with what caused them.
	known    map[string]bool
	problems []string
}

type startOptions struct {
	module         engine.Module
	images         Images
	hashSeed       uint32
	memoryLimit    uint64
	stdin          io.Reader
	stdout, stderr io.Writer
}

// start instantiates the module and initializes Python.
func start(ctx context.Context, o startOptions) (_ *instance, err error) {
	time := new(clock)
	files, err := vfs.New(vfs.Config{Clock: time.stamp()})
	if err != nil {
		return nil, fmt.Errorf("making the guest's file system: %w", err)
	}
	if err := o.images.Mount(files); err != nil {
		return nil, err
	}
	// What goes wrong while Python starts is printed by Python.
	var messages bytes.Buffer
	stderr := &switchWriter{w: &messages}
	host := newHost(files, time, o.stdin, o.stdout, stderr)
	limit := o.memoryLimit
	if limit == 0 {
		limit = DefaultMemoryLimit
	}
	inst, err := o.module.Instantiate(ctx, engine.InstanceConfig{Host: host, MemoryLimit: limit})
	if err != nil {
		return nil, errors.Join(&StartError{Reason: "no instance of the module: " + err.Error(), Err: err}, host.Close())
	}
	g := &instance{
		Instance: inst, client: guest.Client{Instance: inst}, host: host, files: files, known: map[string]bool{},
	}
	defer func() {
		if err != nil {
			g.closeInto(ctx, &err)
		}
	}()
	if _, err := inst.Call(ctx, bootExport); err != nil {
		return nil, &StartError{Reason: "booting the module: " + err.Error(), Err: err}
	}
	config := guest.Config{SearchPath: SearchPath(), HashSeed: o.hashSeed}
	if err := g.client.Initialize(ctx, config); err != nil {
		reason := err.Error()
		if messages.Len() > 0 {
			reason += "\n" + strings.TrimSpace(messages.String())
		}
		return nil, &StartError{Reason: reason, Err: err}
	}
	if _, err := messages.WriteTo(o.stderr); err != nil {
		return nil, fmt.Errorf("forwarding the guest's output: %w", err)
	}
	stderr.w = o.stderr
	return g, nil
}

// switchWriter writes to what it is set to.
type switchWriter struct{ w io.Writer }

func (s *switchWriter) Write(p []byte) (int, error) { return s.w.Write(p) }

// closeInto releases the guest and adds what goes wrong to err. A context that
// is done does not keep it from that.
func (g *instance) closeInto(ctx context.Context, err *error) {
	if e := errors.Join(g.Close(context.WithoutCancel(ctx)), g.host.Close()); e != nil {
		*err = errors.Join(*err, e)
	}
}

func (g *instance) preimport(ctx context.Context, module string) error {
	err := g.client.Preimport(ctx, module)
	var exception *guest.Exception
	if errors.As(err, &exception) {
		return newImportError(module, exception)
	}
	if err != nil {
		return fmt.Errorf("pre-importing %s: %w", module, err)
	}
	g.check("the import of " + module)
	return nil
}

func (g *instance) setup(ctx context.Context, source []byte, name string) error {
	if name == "" {
		name = "<setup>"
	}
	err := g.client.Setup(ctx, string(source), name)
	var exception *guest.Exception
	if errors.As(err, &exception) {
		return &SetupError{
			File: name, Line: int(exception.Line), Type: exception.TypeName,
			Message: exception.Message, Traceback: exception.Traceback,
		}
	}
	if err != nil {
		return fmt.Errorf("running the setup script: %w", err)
	}
	g.check("the setup script")
	return nil
}

// check notes what the host finds open, as brought about by cause.
func (g *instance) check(cause string) {
	_, problems := g.host.Handles()
	for _, problem := range problems {
		if !g.known[problem] {
			g.known[problem] = true
			g.problems = append(g.problems, problem+" (since "+cause+")")
		}
	}
}

// seal takes the state, or says why it cannot be taken.
func (g *instance) seal(ctx context.Context, stackLow uint32) (*Result, error) {
	sealed, err := g.client.Seal(ctx)
	if err != nil {
		return nil, fmt.Errorf("making the interpreter ready for an image: %w", err)
	}
	problems := sealed.Problems
	handles, open := g.host.Handles()
	if len(open) > 0 && len(problems) == 0 {
		// Python knows no more than the host does. What has been closed since
		// it was noted does not matter.
		g.check("sealing")
		for _, problem := range g.problems {
			if slices.ContainsFunc(open, func(o string) bool { return strings.HasPrefix(problem, o) }) {
				problems = append(problems, problem)
			}
		}
	}
	written, err := g.written()
	if err != nil {
		return nil, err
	}
	problems = append(problems, written...)
	if len(problems) > 0 {
		return nil, &StateError{Problems: problems}
	}
	return g.capture(handles, sealed.Modules, stackLow)
}

// written says which files have been made: an image of memory does not hold
// them, and a module that remembers one would not find it.
func (g *instance) written() ([]string, error) {
	var problems []string
	view := g.files.View()
	err := fs.WalkDir(view, ".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path == "usr":
			return fs.SkipDir // only images
		case !entry.IsDir() && entry.Type()&fs.ModeDevice == 0:
			problems = append(problems, fmt.Sprintf("the file /%s was written, which sandboxes would not have", path))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("looking for files that were written: %w", err)
	}
	return problems, nil
}

// capture copies memory and globals.
func (g *instance) capture(handles wasi.State, modules []string, stackLow uint32) (*Result, error) {
	result := &Result{Handles: handles, Modules: modules, Globals: map[string]uint64{}, Size: g.Memory().Size()}
	for _, name := range []string{stackPointerExport, fuelExport} {
		value, err := g.Global(name)
		if name == fuelExport && errors.Is(err, engine.ErrNoExport) {
			continue // not metered
		}
		if err != nil {
			return nil, fmt.Errorf("reading the guest's global %s: %w", name, err)
		}
		result.Globals[name] = uint64(uint32(value))
	}
	view, ok := g.Memory().View(0, uint32(result.Size))
	if !ok {
		return nil, &engine.OutOfBoundsError{Length: uint32(result.Size)}
	}
	// The stack grows downwards: what lies below its pointer is left over from
	// calls that have returned.
	pointer := uint32(result.Globals[stackPointerExport])
	result.Image = bytes.Clone(view)
	if stackLow != 0 && stackLow < pointer && uint64(pointer) <= result.Size {
		clear(result.Image[stackLow:pointer])
	}
	result.Image = bytes.TrimRight(result.Image, "\x00")
	return result, nil
}
