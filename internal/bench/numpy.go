//go:build linux

package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/eryx-build/eryx"
)

//go:embed numpy_speed.py
var numpySpeed string

// numpySubject measures a bundle in which numpy is imported.
type numpySubject struct{ subject }

// fresh creates a sandbox, has numpy compute something in it and closes it.
func (n *numpySubject) fresh(ctx context.Context) (sample, error) {
	return n.once(ctx, "import numpy as np\nprint(np.arange(4).sum())", "6\n")
}

// numpyConfig says what to compare; only bundle is needed.
type numpyConfig struct {
	bundle      string // in which numpy is imported
	python      string // a native one with numpy
	venv, wheel string // componentize-py and wasmtime, and a numpy for it
	repeat      int    // sandboxes
	rounds      int    // of the script
}

// benchNumpy reports what a sandbox with numpy costs and what numpy takes in
// it, beside a native numpy on one thread and a component under wasmtime.
func benchNumpy(ctx context.Context, out io.Writer, c numpyConfig) (err error) {
	bundle, python, repeat, rounds := c.bundle, c.python, c.repeat, c.rounds
	rt, err := openRuntime(ctx, bundle)
	if err != nil {
		return err
	}
	defer rt.close()
	n := &numpySubject{*rt}
	if err := compare(ctx, out, "create a sandbox with numpy imported, use it, close it", repeat, []contestant{
		{name: "eryx", sample: n.fresh}, {name: "eryx, print(1+1)", sample: n.subject.fresh},
	}); err != nil {
		return err
	}
	if python == "" {
		return nil
	}
	own, native, other := map[string][]time.Duration{}, map[string][]time.Duration{}, map[string][]time.Duration{}
	var peer *component
	if c.venv != "" {
		if peer, err = startComponent(ctx, c.venv, c.wheel); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, peer.close()) }()
	}
	for range rounds {
		result, err := n.rt.Execute(ctx, numpySpeed, &eryx.SandboxConfig{MemoryLimit: 512 << 20})
		if err != nil {
			return err
		}
		if err := addTimes(own, result.Value); err != nil {
			return err
		}
		cmd := exec.CommandContext(ctx, python, "-c", numpySpeed)
		cmd.Env = append(os.Environ(), "OPENBLAS_NUM_THREADS=1", "OMP_NUM_THREADS=1")
		output, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("the native numpy to compare with: %w", err)
		}
		if err := addTimes(native, output); err != nil {
			return err
		}
		if peer == nil {
			continue
		}
		if output, err = peer.run(); err != nil {
			return fmt.Errorf("componentize-py's numpy: %w", err)
		}
		if err := addTimes(other, output); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "\nnumpy, medians of %d rounds; ratios of eryx to each\n  %-22s %10s %10s %8s", rounds, "", "eryx", "native", "ratio")
	if peer != nil {
		fmt.Fprintf(out, " %15s %8s", "componentize-py", "ratio")
	}
	fmt.Fprintln(out)
	var names []string
	for name := range own {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		slices.Sort(own[name])
		slices.Sort(native[name])
		o, r := median(own[name]), median(native[name])
		fmt.Fprintf(out, "  %-22s %10s %10s %7.1fx", name, short(o), short(r), float64(o)/float64(r))
		if peer != nil {
			slices.Sort(other[name])
			p := median(other[name])
			fmt.Fprintf(out, " %15s %7.1fx", short(p), float64(o)/float64(p))
		}
		fmt.Fprintln(out)
	}
	return nil
}

// addTimes adds what one run of the script measured.
func addTimes(times map[string][]time.Duration, data []byte) error {
	var seconds map[string]float64
	if err := json.Unmarshal(data, &seconds); err != nil {
		return err
	}
	if len(seconds) == 0 {
		return errors.New("nothing was measured")
	}
	for name, s := range seconds {
		times[name] = append(times[name], time.Duration(s*float64(time.Second)))
	}
	return nil
}
