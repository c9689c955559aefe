//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
)

// bench is what is measured, and where the figures go.
type bench struct {
	out                       io.Writer
	bundle, cli, peer, beside string
	rounds, repeat, cpuRounds int
	numpy                     numpyConfig

	opened *subject
}

// part is something that is measured by itself if -only names it.
type part struct {
	name string
	run  func(*bench, context.Context) error
}

// parts are measured in this order.
var parts = []part{
	{"process", (*bench).processes},
	{"create", (*bench).create},
	{"memory", inProcess((*subject).memory)},
	{"deadline", inProcess((*subject).cancellation)},
	{"sessions", (*bench).sessions},
	{"latency", (*bench).latency},
	{"tracing", inProcess((*subject).tracing)},
	{"cpu", (*bench).cpu},
	{"callbacks", (*bench).callbacks},
	{"network", (*bench).network},
	{"numpy", (*bench).measureNumpy},
}

func partNames() []string {
	names := make([]string, len(parts))
	for i, p := range parts {
		names[i] = p.name
	}
	return names
}

// choose gives the parts whose names are in a list, or all for which there are
// bundles.
func choose(list string, b *bench) ([]part, error) {
	var chosen []part
	if list == "" {
		for _, p := range parts {
			if p.name != "numpy" || b.numpy.bundle != "" {
				chosen = append(chosen, p)
			}
		}
	}
	for name := range strings.SplitSeq(list, ",") {
		if name == "" {
			continue
		}
		i := slices.IndexFunc(parts, func(p part) bool { return p.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no part %q, only %s", name, strings.Join(partNames(), ", "))
		}
		chosen = append(chosen, parts[i])
	}
	needs := func(name string) bool {
		return slices.ContainsFunc(chosen, func(p part) bool { return p.name == name })
	}
	switch {
	case b.bundle == "":
		return nil, errors.New("-bundle has to be given")
	case b.cli == "" && needs("process"):
		return nil, errors.New("-cli has to be given to measure whole processes")
	case b.numpy.bundle == "" && needs("numpy"):
		return nil, errors.New("-numpy has to be given to measure numpy")
	}
	return chosen, nil
}

// subject opens the bundle, once.
func (b *bench) subject(ctx context.Context) (*subject, error) {
	if b.opened != nil {
		return b.opened, nil
	}
	var err error
	b.opened, err = openRuntime(ctx, b.bundle)
	return b.opened, err
}

func (b *bench) close() {
	if b.opened != nil {
		b.opened.close()
	}
}

// peerPython is the Python in which pyeryx is installed, or "".
func (b *bench) peerPython() string {
	if b.peer == "" {
		return ""
	}
	return filepath.Join(b.peer, "bin", "python")
}

// inProcess is a part that needs the runtime only.
func inProcess(measure func(*subject, context.Context, io.Writer) error) func(*bench, context.Context) error {
	return func(b *bench, ctx context.Context) error {
		s, err := b.subject(ctx)
		if err != nil {
			return err
		}
		return measure(s, ctx, b.out)
	}
}

// processes compares whole processes that print a line.
func (b *bench) processes(ctx context.Context) error {
	contestants := []contestant{
		{name: "eryx-build run -c", sample: process(b.cli, "run", b.bundle, "-c", `print("hello")`)},
	}
	if b.peer != "" {
		contestants = append(contestants, contestant{name: "pyeryx -c", sample: process(filepath.Join(b.peer, "bin", "pyeryx"), "-c", `print("hello")`)})
	}
	native, err := pythonExecutable(ctx)
	if err != nil {
		return err
	}
	contestants = append(contestants, contestant{name: "python3 -c (native)", sample: process(native, "-c", `print("hello")`)})
	return compare(ctx, b.out, `print("hello"), a whole process`, b.rounds, contestants)
}

// create compares sandboxes that are made, print a line and are closed.
func (b *bench) create(ctx context.Context) error {
	s, err := b.subject(ctx)
	if err != nil {
		return err
	}
	contestants := []contestant{{name: "eryx", sample: s.fresh}}
	if b.peer != "" {
		p, err := startPeer(ctx, b.peerPython(), peerScript)
		if err != nil {
			return err
		}
		defer p.close()
		contestants = append(contestants, contestant{name: "pyeryx", sample: p.fresh})
	}
	return compare(ctx, b.out, "create a sandbox, print(1+1), close it", b.repeat, contestants)
}

func (b *bench) sessions(ctx context.Context) error {
	s, err := b.subject(ctx)
	if err != nil {
		return err
	}
	return benchSessions(ctx, b.out, s.rt, b.peerPython())
}

func (b *bench) latency(ctx context.Context) error {
	s, err := b.subject(ctx)
	if err != nil {
		return err
	}
	return s.latency(ctx, b.out, b.repeat)
}

func (b *bench) cpu(ctx context.Context) error {
	return benchCPU(ctx, b.out, cpuConfig{bundle: b.bundle, beside: b.beside, peer: b.peer, rounds: b.cpuRounds})
}

func (b *bench) callbacks(ctx context.Context) error {
	s, err := b.subject(ctx)
	if err != nil {
		return err
	}
	return s.benchCallbacks(ctx, b.out, b.peerPython(), min(b.rounds, 5))
}

func (b *bench) measureNumpy(ctx context.Context) error {
	c := b.numpy
	c.repeat, c.rounds = b.repeat, b.rounds
	return benchNumpy(ctx, b.out, c)
}
