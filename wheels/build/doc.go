// Package build makes native wheels: it compiles the C, C++ and Cython of a
// Python package for the base, CPython 3.14 on WASI, and checks that what comes
// out can be linked.
//
// # How
//
//  1. The source: an sdist from the user's own package client, a file or a
//     directory. The client never runs the package's build to learn its
//     metadata, which for some packages takes minutes.
//  2. The recipe, if there is one for the package: options, pinned build
//     requirements and patches, declared in a small TOML file. See [Recipe].
//  3. The toolchain: clang and LLD out of the package ziglang, which carries
//     the C and C++ headers as well; the base's own libraries to link against;
//     CPython's headers from where the machine has them; a pyconfig.h made of
//     what the base's standard library knows about its build.
//  4. The build back end that the package names (setuptools, meson-python, …),
//     on a Python of this machine, 3.12 or newer, for a sandbox can start no
//     compiler. It is told about the target as CPython's own cross-builds are.
//     cc.py stands between it and the compiler.
//  5. The audit of the result: see [Check].
//  6. The wheel is packed anew, so that the same content gives the same bytes.
//
// Nothing is installed on the machine: environments and toolchain live in the
// cache. Building a package runs its code, as installing it anywhere does.
package build
