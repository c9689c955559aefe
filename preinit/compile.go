package preinit

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/eryx-build/eryx/internal/engine"
	"github.com/eryx-build/eryx/internal/guest"
)

// compileParts is how many guests share the work. It is fixed, and each gets
// the same files every time: what one has compiled before can show in the
// bytes that it makes of the next (interned strings).
const compileParts = 2

// compileScript serves the requests on its standard input.
const compileScript = "from eryx_support.compiler import main; main()"

// Source is one Python source file.
type Source struct {
	// Path is what tracebacks show, e.g. "/usr/lib/python3.14/json/__init__.py".
	Path string
	Text []byte
}

// Compiled is what became of a [Source].
type Compiled struct {
	// Pyc is the content of a .pyc file that is valid whatever becomes of the
	// source (PEP 552, unchecked); nil if Err is not.
	Pyc []byte
	// Err says why the source cannot be compiled.
	Err error
}

// CompileOptions says with what to compile.
type CompileOptions struct {
	// Module and Images are as for [Run]; those of packages are not needed, and
	// Stdlib may hold sources.
	Module engine.Module
	Images
	// Progress, if not nil, is told how many files are done. It is called
	// from several goroutines, one at a time.
	Progress func(done, total int)
}

// CompileTree byte-compiles sources and returns as many results, in the same
// order. The same sources in the same order give the same bytes.
func CompileTree(ctx context.Context, options CompileOptions, sources []Source) ([]Compiled, error) {
	results := make([]Compiled, len(sources))
	var mu sync.Mutex
	done := 0
	finished := func() {
		mu.Lock()
		defer mu.Unlock()
		done++
		if options.Progress != nil {
			options.Progress(done, len(sources))
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	for part := range min(compileParts, len(sources)) {
		group.Go(func() error { return compilePart(ctx, options, sources, results, part, finished) })
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("byte-compiling: %w", err)
	}
	return results, nil
}

// compilePart compiles every compileParts-th source, beginning with part.
func compilePart(ctx context.Context, options CompileOptions, sources []Source, results []Compiled, part int, finished func()) (err error) {
	var requests bytes.Buffer
	var mine []int
	for i := part; i < len(sources); i += compileParts {
		mine = append(mine, i)
		source := sources[i]
		requests.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(source.Path))))
		requests.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(source.Text))))
		requests.WriteString(source.Path)
		requests.Write(source.Text)
	}
	replies := &replyReader{results: results, want: mine, finished: finished}
	var messages bytes.Buffer
	g, err := start(ctx, startOptions{
		module: options.Module, images: options.Images,
		stdin: &requests, stdout: replies, stderr: &messages,
	})
	if err != nil {
		return err
	}
	defer g.closeInto(ctx, &err)
	outcome, err := g.client.Execute(ctx, guest.Request{Source: compileScript, Filename: "<compile>"})
	switch {
	case err != nil:
		return err
	case outcome.Case == guest.OutcomeRaised:
		return fmt.Errorf("%w\n%s", &outcome.Raised, outcome.Raised.Traceback)
	case outcome.Case != guest.OutcomeCompleted:
		return fmt.Errorf("the guest's compiler ended early: %s", outcome.Case)
	case len(replies.want) > 0 || len(replies.pending) > 0:
		return fmt.Errorf("the guest's compiler gave no complete result for %s: %s", sources[replies.next()].Path, messages.String())
	}
	return nil
}

// replyReader takes the compiler's output apart as it comes.
type replyReader struct {
	results  []Compiled
	want     []int // indices of what is still to come
	finished func()
	pending  []byte
}

const replyHeader = 8

// next is the index of the reply that comes next, or of the last.
func (r *replyReader) next() int {
	if len(r.want) == 0 {
		return len(r.results) - 1
	}
	return r.want[0]
}

func (r *replyReader) Write(p []byte) (int, error) {
	r.pending = append(r.pending, p...)
	for len(r.pending) >= replyHeader {
		status := binary.LittleEndian.Uint32(r.pending)
		length := uint64(binary.LittleEndian.Uint32(r.pending[4:]))
		if uint64(len(r.pending)-replyHeader) < length {
			break
		}
		if len(r.want) == 0 {
			return 0, io.ErrShortWrite
		}
		data := bytes.Clone(r.pending[replyHeader : replyHeader+length])
		if status == 0 {
			r.results[r.want[0]] = Compiled{Pyc: data}
		} else {
			r.results[r.want[0]] = Compiled{Err: errors.New(string(data))}
		}
		r.want = r.want[1:]
		r.pending = r.pending[replyHeader+length:]
		r.finished()
	}
	return len(p), nil
}
