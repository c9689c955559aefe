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
// whose zero value gives nothing and sets the default limits.
//
// Errors fall in two classes. A [*PythonError] or [*ExitError] is the script's
// own: it raised an exception or left by sys.exit. Everything else means that
// the sandbox ended the script or could not run it, and matches [ErrSandbox].
//
// No cgo, no subprocess and no container are involved.
package eryx
