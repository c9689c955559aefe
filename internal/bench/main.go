//go:build linux

// Bench measures the runtime beside its peers, in turn and in one run, so that
// a noisy machine is noisy for all: what to read are the ratios. Wall and CPU
// time are reported side by side, as minimum and median.
//
//	bench -bundle python.eryx -cli bin/eryx-build [-peer VENV] [-rounds N]
//	      [-cpu] [-cpu-rounds N] [-beside other.eryx,…]
//	      [-numpy numpy.eryx [-numpy-python PYTHON
//	      [-numpy-componentize VENV -numpy-wheel WHEEL]]]
//
// VENV is a Python virtual environment in which pyeryx is installed; without
// it only the own figures are shown. What numpy takes is shown if a bundle has
// it, beside a native PYTHON's.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"time"
)

// sample is what one repetition took.
type sample struct{ wall, cpu time.Duration }

// contestant is one way to do the job that a comparison is about.
type contestant struct {
	name   string
	sample func(ctx context.Context) (sample, error)
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	bundle := flags.String("bundle", "", "the `bundle` to run")
	cli := flags.String("cli", "", "the eryx-build `executable`")
	peer := flags.String("peer", "", "a virtual environment `directory` with pyeryx")
	numpy := flags.String("numpy", "", "a `bundle` in which numpy is imported")
	numpyPython := flags.String("numpy-python", "", "a native Python `executable` with the same numpy")
	numpyVenv := flags.String("numpy-componentize", "", "a virtual environment `directory` with componentize-py and wasmtime")
	numpyWheel := flags.String("numpy-wheel", "", "the numpy `wheel` for it")
	onlyCPU := flags.Bool("cpu", false, "only measure the CPU suite")
	cpuRounds := flags.Int("cpu-rounds", 15, "repetitions of each program of the CPU suite")
	beside := flags.String("beside", "", "`bundles`, separated by commas, that the CPU suite is run with as well")
	rounds := flags.Int("rounds", 20, "whole-process repetitions of each command")
	repeat := flags.Int("repeat", 500, "in-process repetitions")
	cycles := flags.Int("soak", 0, "only lend and take back so many interpreters, and look for what is left")
	sessions := flags.Bool("sessions", false, "only measure sessions and pools")
	network := flags.Bool("network", false, "only measure HTTPS")
	if err := flags.Parse(args); err != nil {
		return err
	}
	cpu := cpuConfig{bundle: *bundle, beside: *beside, peer: *peer, rounds: *cpuRounds}
	if *onlyCPU {
		return benchCPU(ctx, out, cpu)
	}
	if *cycles > 0 {
		return soakBundle(ctx, out, *bundle, *cycles)
	}
	if *sessions {
		return benchSessionsOnly(ctx, out, *bundle, *peer)
	}
	if *network {
		return benchNetworkOnly(ctx, out, *bundle, *peer, *rounds)
	}
	if *bundle == "" || *cli == "" {
		return fmt.Errorf("-bundle and -cli have to be given")
	}

	processes := []contestant{
		{"eryx-build run -c", process(*cli, "run", *bundle, "-c", `print("hello")`)},
	}
	var peerPython string
	if *peer != "" {
		processes = append(processes, contestant{"pyeryx -c", process(filepath.Join(*peer, "bin", "pyeryx"), "-c", `print("hello")`)})
		peerPython = filepath.Join(*peer, "bin", "python")
	}
	native, err := pythonExecutable(ctx)
	if err != nil {
		return err
	}
	processes = append(processes, contestant{"python3 -c (native)", process(native, "-c", `print("hello")`)})
	if err := compare(ctx, out, `print("hello"), a whole process`, *rounds, processes); err != nil {
		return err
	}

	rt, err := openRuntime(ctx, *bundle)
	if err != nil {
		return err
	}
	defer rt.close()
	fresh := []contestant{{"eryx", rt.fresh}}
	if peerPython != "" {
		p, err := startPeer(ctx, peerPython, peerScript)
		if err != nil {
			return err
		}
		defer p.close()
		fresh = append(fresh, contestant{"pyeryx", p.fresh})
	}
	if err := compare(ctx, out, "create a sandbox, print(1+1), close it", *repeat, fresh); err != nil {
		return err
	}
	if err := rt.memory(ctx, out); err != nil {
		return err
	}
	if err := rt.cancellation(ctx, out); err != nil {
		return err
	}
	if err := benchSessions(ctx, out, rt.rt, peerPython); err != nil {
		return err
	}
	if err := rt.latency(ctx, out, *repeat); err != nil {
		return err
	}
	if err := rt.tracing(ctx, out); err != nil {
		return err
	}
	if err := benchCPU(ctx, out, cpu); err != nil {
		return err
	}
	if err := rt.benchCallbacks(ctx, out, peerPython, min(*rounds, 5)); err != nil {
		return err
	}
	if err := rt.benchNetwork(ctx, out, native, peerPython, min(*rounds, 5)); err != nil {
		return err
	}
	if *numpy == "" {
		return nil
	}
	return benchNumpy(ctx, out, numpyConfig{
		bundle: *numpy, python: *numpyPython, venv: *numpyVenv, wheel: *numpyWheel, repeat: *repeat, rounds: *rounds,
	})
}

// benchSessionsOnly is benchSessions by itself.
func benchSessionsOnly(ctx context.Context, out io.Writer, bundle, peer string) error {
	rt, err := openRuntime(ctx, bundle)
	if err != nil {
		return err
	}
	defer rt.close()
	python := ""
	if peer != "" {
		python = filepath.Join(peer, "bin", "python")
	}
	return benchSessions(ctx, out, rt.rt, python)
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
