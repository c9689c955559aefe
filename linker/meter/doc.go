// Package meter makes a module count its own steps and ask the host, now and
// then, whether it may go on.
//
// # Why
//
// WebAssembly that has been compiled to native code runs inside a goroutine
// which the Go runtime cannot preempt. The garbage collector has to stop every
// goroutine for a moment; while a guest runs `while True: pass`, it waits, and
// with it the whole process, timers included. So no timeout from outside can
// help: the guest itself has to come back.
//
// Every place that a guest must pass again and again if it is to run for long
// counts down a global. When that is used up, the guest calls the host's
// `checkpoint`, an ordinary function call, at which Go can stop the goroutine.
// There the host looks at deadlines and budgets, and either ends the guest or
// returns how far to count until the next call. One mechanism gives liveness of
// the process, cancellation, timeouts and deterministic accounting, inside
// loops of C code as well.
//
// # Where
//
// A program that never comes back to where it was takes as many steps as it has
// code. It comes back by loops and by calls, so each loop counts at its header,
// each tail call counts, and so does one function at least of each cycle of
// calls, when it is entered. The stack bounds how deep calls are, but not how
// many: the hash of a slice whose parts are a slice, twice, a hundred deep, took
// neither a loop nor much stack, and no time would have sufficed for it.
//
// Time is also what a single instruction takes that fills or copies memory. A
// script can arrange for hardly anything else: a loop around a copy of 30 MB
// took 15 seconds between checkpoints. So fills and copies of [bulkMin] bytes
// and more cost a step for each [bulkStep] bytes, all of them in advance.
//
// A bytecode interpreter is no exception: the header of its main loop counts,
// and with it each bytecode. It seems cheaper to count only where CPython
// itself looks for signals, at backward jumps and calls. It is not: that is
// twenty-five sites of call and counter in the middle of the interpreter's
// largest function, which keep the compiler from holding values in registers,
// while one site in front of the dispatch disturbs nothing and is always in the
// processor's cache. Measured on wazero, it costs half as much. It also holds
// against bytecode that was forged to jump where no check is, and depends on
// no particular build of CPython.
//
// # Recursion
//
// The stack that C code sees, and CPython guards, is the one in linear memory.
// The engine has another one for the calls themselves, and when that is used up
// the guest is ended. So calls among functions that take nothing of the first
// are made to take a little of it, such that no recursion goes unseen.
//
// # Cost
//
// The counter itself is lost in the noise, and so is the test. What shows is
// the call that is hardly ever made: values that live across it cannot stay in
// registers. So a loop without other calls and with few variables is wrapped in
// one that makes the call, with copies of the variables that live across it in
// their place.
package meter
