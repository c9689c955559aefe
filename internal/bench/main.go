//go:build linux

// Bench measures the runtime beside its peers, in turn and in one run, so that
// a noisy machine is noisy for all: what to read are the ratios. Wall and CPU
// time are reported side by side, as minimum and median.
//
//	bench -bundle python.eryx -cli bin/eryx-build [-peer VENV]
//	      [-only PART,…] [-rounds N] [-repeat N] [-cpu-rounds N]
//	      [-beside other.eryx,…]
//	      [-numpy numpy.eryx [-numpy-python PYTHON
//	      [-numpy-componentize VENV -numpy-wheel WHEEL]]]
//	bench -bundle python.eryx -soak N
//
// VENV is a Python virtual environment in which pyeryx is installed; without
// it only the own figures are shown. What numpy takes is shown if a bundle has
// it, beside a native PYTHON's. The parts are in parts.go.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

// sample is what one repetition took.
type sample struct{ wall, cpu time.Duration }

// contestant is one way to do the job that a comparison is about.
type contestant struct {
	name   string
	sample func(ctx context.Context) (sample, error)
	rounds int // at most; 0 is all
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	b := &bench{out: out}
	flags.StringVar(&b.bundle, "bundle", "", "the `bundle` to run")
	flags.StringVar(&b.cli, "cli", "", "the eryx-build `executable`")
	flags.StringVar(&b.peer, "peer", "", "a virtual environment `directory` with pyeryx")
	flags.StringVar(&b.numpy.bundle, "numpy", "", "a `bundle` in which numpy is imported")
	flags.StringVar(&b.numpy.python, "numpy-python", "", "a native Python `executable` with the same numpy")
	flags.StringVar(&b.numpy.venv, "numpy-componentize", "", "a virtual environment `directory` with componentize-py and wasmtime")
	flags.StringVar(&b.numpy.wheel, "numpy-wheel", "", "the numpy `wheel` for it")
	flags.IntVar(&b.cpuRounds, "cpu-rounds", 15, "repetitions of each program of the CPU suite")
	flags.StringVar(&b.beside, "beside", "", "`bundles`, separated by commas, that the CPU suite is run with as well")
	flags.IntVar(&b.rounds, "rounds", 20, "whole-process repetitions of each command")
	flags.IntVar(&b.repeat, "repeat", 500, "in-process repetitions")
	only := flags.String("only", "", "the `parts` to measure, separated by commas, of "+strings.Join(partNames(), ", "))
	cycles := flags.Int("soak", 0, "only lend and take back so many interpreters, and look for what is left")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *cycles > 0 {
		return soakBundle(ctx, out, b.bundle, *cycles)
	}
	chosen, err := choose(*only, b)
	if err != nil {
		return err
	}
	defer b.close()
	for _, p := range chosen {
		if err := p.run(b, ctx); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

func soakBundle(ctx context.Context, out io.Writer, bundle string, cycles int) error {
	rt, err := openRuntime(ctx, bundle)
	if err != nil {
		return err
	}
	defer rt.close()
	return soak(ctx, out, rt.rt, cycles)
}

// compare runs the contestants in turn and prints a table; ratios are to the
// first of them.
func compare(ctx context.Context, out io.Writer, title string, rounds int, contestants []contestant) error {
	samples := make([][]sample, len(contestants))
	for round := -1; round < rounds; round++ {
		for i, c := range contestants {
			if c.rounds > 0 && round >= c.rounds {
				continue
			}
			s, err := c.sample(ctx)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			if round >= 0 { // the first is for warming up
				samples[i] = append(samples[i], s)
			}
		}
	}
	fmt.Fprintf(out, "\n%s (%d rounds)\n", title, rounds)
	fmt.Fprintf(out, "  %-22s %10s %10s %10s %10s %8s\n", "", "wall min", "median", "cpu min", "median", "ratio")
	var base time.Duration
	for i, c := range contestants {
		wall := sorted(samples[i], func(s sample) time.Duration { return s.wall })
		cpu := sorted(samples[i], func(s sample) time.Duration { return s.cpu })
		if i == 0 {
			base = median(wall)
		}
		fmt.Fprintf(out, "  %-22s %10s %10s %10s %10s %7.2fx\n", c.name,
			short(wall[0]), short(median(wall)), short(cpu[0]), short(median(cpu)),
			float64(median(wall))/float64(base))
	}
	return nil
}

func sorted(samples []sample, of func(sample) time.Duration) []time.Duration {
	list := make([]time.Duration, len(samples))
	for i, s := range samples {
		list[i] = of(s)
	}
	slices.Sort(list)
	return list
}

func median(list []time.Duration) time.Duration { return list[len(list)/2] }

func short(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
}
