// Package wheels reads Python packages for the sandbox: what a wheel says about
// itself, whether this target can use it, and the files that it puts into
// site-packages.
//
// # The target
//
// There is one: CPython 3.14 on WASI. [SupportedTags] says which wheels it can
// use, the best first, and [TargetEnvironment] what its environment markers
// evaluate to. Both say what the guest itself says when it is asked.
//
// # From a wheel to site-packages
//
//  1. The archive is read: names that leave the tree, names given twice,
//     links, and contents beyond the bounds are refused. Nothing is allocated
//     because an archive says so; only because it has so many bytes.
//  2. What it is: the file's name, METADATA and WHEEL have to agree.
//  3. Whether it is usable: tags, then Requires-Python.
//  4. RECORD is verified: every file is listed, and has the digest and the size
//     that are listed.
//  5. The data scheme is applied. Packages go to the root of the tree; files
//     for the installation's prefix, such as share/…, are kept apart, in
//     [Tree.Data]; scripts and
//     headers have no use in a sandbox and are dropped, with the reason.
//  6. Native modules are found, and have to be WebAssembly shared libraries for
//     this Python.
//
// The result is a [Tree]. Trees of tars and directories, which make no
// promises, are read with the same bounds by [OpenTar] and [FromDir]. [Merge]
// makes one site-packages of many trees.
//
// The .dist-info directories stay, so importlib.metadata finds versions,
// entry points and files.
//
// # The specifications
//
// Names, versions, version specifiers, dependency specifiers with their
// environment markers, core metadata, platform compatibility tags, the binary
// distribution format and the entry points file are those of the Python
// Packaging User Guide (PEP 503, 440, 508, 566 and its successors, 425, 427).
// Where these leave something open it is decided as the project "packaging"
// decides it, on which pip is built and with which the tests compare.
//
// The package is pure: bytes in, bytes out. Nothing in it panics on any input.
// Every type is safe for concurrent use as long as nobody changes it.
package wheels
