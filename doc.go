// Package eryx runs untrusted or generated Python inside a Go program.
//
// A bundle, made once by eryx-build, holds CPython as WebAssembly: linked,
// compiled to native code and already started, with the modules a program
// needs imported. [Open] maps a bundle; [Runtime.NewSandbox] restores an
// interpreter from its memory image, copy-on-write and in well under a
// millisecond, and [Sandbox.Execute] runs code in it:
//
//	rt, err := eryx.Open(ctx, "python.eryx", nil)
//	...
//	result, err := rt.Execute(ctx, `print("hello")`, nil)
//
// A sandbox has no access to anything of the host: no files, no network, no
// environment, no processes. What it may use is given by [SandboxConfig],
// whose zero value gives nothing and sets the default limits: files
// ([Files], [Mount]), functions of the host's that the script awaits
// ([Callback], [Library]), hosts on the network ([Network]), streams, arguments and environment. A [Trace] tells
// what the script does, and a [Journal] lets it go on later, elsewhere.
//
// A [Sandbox] begins each execution anew. A [Session] goes on where the
// execution before it left off, and can be forked, saved and restored. A [Pool]
// lends sessions whose interpreters are used again, with nothing of the lease
// before.
//
// Sandboxes do not share randomness, unless it is [Deterministic], with two
// exceptions. The seed of string
// hashes is the bundle's, so that whoever knows the bundle can make keys that
// collide; the time limit bounds what that costs. And SQLite's random() begins
// with the same number in every sandbox: where it matters, use Python's.
//
// Errors fall in two classes. A [*PythonError] or [*ExitError] is the script's
// own: it raised an exception or left by sys.exit. Everything else means that
// the sandbox ended the script or could not run it, and matches [ErrSandbox].
//
// No cgo, no subprocess and no container are involved.
package eryx
