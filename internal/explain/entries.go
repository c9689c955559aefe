package explain

// What is said again and again.
const (
	buildIt   = "Build the package for this target from its source: `eryx-build wheel NAME`."
	checkIt   = "`eryx-build wheel check FILE` says for each file what it needs and what is missing."
	getAgain  = "Get the file again from where it was published."
	leaveOut  = "Leave the package out; a pure alternative may exist."
	otherPins = "Choose another version of the package, or of what requires it."
)

// entries are sorted by code.
var entries = []Entry{
	{
		Code: "ERYX-L001", Title: "a library that is damaged",
		Meaning: "A native module begins like WebAssembly, but what follows contradicts itself: sections are cut off, data lies outside of the memory that the library asks for, or two modules claim the same name or path.",
		Causes:  []string{"The file was cut off, or changed after it was built.", "A tool that rewrites modules does not know shared libraries.", "The same module was given twice."},
		Remedy:  []string{getAgain, buildIt, checkIt},
	},
	{
		Code: "ERYX-L002", Title: "symbols that nothing defines",
		Meaning: "A native module uses functions or variables that neither Python, the C library, the C++ library nor any other module of the bundle defines. Everything is linked when the bundle is built, so nothing can turn up later. The message names, for each symbol, the wheel, the file in it, and what could be done.",
		Causes: []string{
			"The module was built for another version of Python, or uses what CPython 3.14 removed.",
			"It uses what does not exist in a sandbox: threads, processes, non-local jumps, C++ exceptions.",
			"It needs a library that was not linked into it (BLAS, a Fortran runtime, the compiler's builtins) or another package's module that is not in the bundle.",
			"C++ code was built against another libc++, whose names have another ABI namespace.",
		},
		Remedy: []string{buildIt, "Add the package that has the module that is needed.", checkIt, leaveOut},
	},
	{
		Code: "ERYX-L003", Title: "a function used as what it is not",
		Meaning: "Two libraries disagree about the parameters or the result of a function. WebAssembly checks types at each call, so that the call could only trap.",
		Causes:  []string{"C code calls a function that it did not declare.", "The library was built against headers of another version than the one it is linked with.", "`long` or `size_t` were taken to have 64 bits: they have 32."},
		Remedy:  []string{"Build the library again, against the right headers and with -Werror=implicit-function-declaration.", checkIt},
	},
	{
		Code: "ERYX-L004", Title: "a native module that calls the host",
		Meaning: "A native module imports functions directly from its host, not from the C library. What a sandbox may ask its host for is fixed; no package can add to it.",
		Causes:  []string{"The module was linked as a program, with a C library of its own inside, and not as a shared library.", "It was built for another host, such as a browser or an edge platform."},
		Remedy:  []string{"Link it with -shared, and against the base's libc.so.", buildIt, checkIt},
	},
	{
		Code: "ERYX-L005", Title: "a library of another platform",
		Meaning: "A file that should be a native module is machine code for a processor and an operating system, an archive, or a WebAssembly component. Sandboxes run core WebAssembly modules only.",
		Causes:  []string{"The wheel was built for the machine it was built on.", "A cross build fell back to the native compiler."},
		Remedy:  []string{buildIt, leaveOut},
	},
	{
		Code: "ERYX-L006", Title: "a WebAssembly module that is not a shared library",
		Meaning: "The module does not say what memory and table space it needs (it has no section dylink.0), so that it cannot be put next to others.",
		Causes:  []string{"It was linked without -shared.", "A tool removed its custom sections (strip, or an optimizer)."},
		Remedy:  []string{"Link it with `wasm-ld -shared --experimental-pic`, from objects compiled with -fPIC, and do not strip it afterwards.", buildIt},
	},
	{
		Code: "ERYX-L007", Title: "features that are not supported",
		Meaning: "A library uses a part of WebAssembly, or of the convention for shared libraries, that sandboxes do not have: threads and atomic instructions, exceptions, thread-local storage, memories or tables of its own, or state outside of memory, which an image could not hold.",
		Causes:  []string{"It was built with -pthread, -fwasm-exceptions or for another processor than -mcpu=generic."},
		Remedy:  []string{"Build it without the feature that the message names.", buildIt, leaveOut},
	},
	{
		Code: "ERYX-L008", Title: "a missing export",
		Meaning: "The linked module is to export something that no library defines. This is about the base and the guest's own library, not about packages.",
		Causes:  []string{"The base is not the one that this version was made for."},
		Remedy:  []string{"Use the base that this version of eryx-build fetches by itself."},
	},
	{
		Code: "ERYX-L009", Title: "too large to link",
		Meaning: "The libraries need more memory, stack or table slots than 32-bit WebAssembly has.",
		Causes:  []string{"A library has gigabytes of static data.", "The stack size that was asked for is out of proportion."},
		Remedy:  []string{"Make the stack smaller.", "Keep large data in files of the package, rather than in the module.", leaveOut},
	},
	{
		Code: "ERYX-M001", Title: "an interpreter that cannot be interrupted",
		Meaning: "The function that runs Python's bytecode was not found, is there twice or does not look like it, so that nobody knows whether a script could be stopped.",
		Causes:  []string{"The base is another build of Python than the one that this version was made for."},
		Remedy:  []string{"Use the base that this version of eryx-build fetches by itself."},
	},
	{
		Code: "ERYX-P001", Title: "an import that failed while the bundle was built",
		Meaning: "A module that was to be imported ahead of time raised an exception. Nothing was written.",
		Causes:  []string{"The package that has it, or one that it needs, is not in the bundle.", "It starts threads or processes, or uses the network, when it is imported.", "A native module is missing from the bundle."},
		Remedy:  []string{"Add what is missing with -p.", "Import the module in the script instead of ahead of time, to see the whole traceback."},
	},
	{
		Code: "ERYX-P002", Title: "a setup script that failed",
		Meaning: "The script that runs before the image is taken raised an exception. Nothing was written.",
		Causes:  []string{"The script has a mistake, or needs a package that is not in the bundle."},
		Remedy:  []string{"Correct the script at the line that the message names."},
	},
	{
		Code: "ERYX-P003", Title: "state that an image cannot hold",
		Meaning: "An import or the setup script left something open that belongs to the host and not to the guest's memory: a file, an event loop, a file that was written. Sandboxes that start from the image would not have it.",
		Causes:  []string{"A module opens a file when it is imported and keeps it open.", "A script creates an event loop or a temporary file, and leaves it."},
		Remedy:  []string{"Close it before the image is taken.", "Import the module in the script instead."},
	},
	{
		Code: "ERYX-P004", Title: "Python did not start",
		Meaning: "The interpreter could not be initialized. That is a fault of the bundle's parts, not of what is imported.",
		Causes:  []string{"The standard library, or a part of the bundle, does not go with the interpreter.", "The memory limit is too low for it."},
		Remedy:  []string{"Empty the cache with `eryx-build cache prune` and build again.", "Use the base that this version of eryx-build fetches by itself."},
	},
	{
		Code: "ERYX-W001", Title: "a name, version or requirement that cannot be read",
		Meaning: "A text does not follow the rules for names (PEP 503), versions and specifiers (PEP 440) or requirements (PEP 508). The message says at which character.",
		Causes:  []string{"A typing error on the command line or in a requirements file.", "A package with metadata older than these rules."},
		Remedy:  []string{"Correct the text.", otherPins},
	},
	{
		Code: "ERYX-W002", Title: "an environment marker without meaning",
		Meaning: "A requirement is bound to a condition that cannot be evaluated, such as an order of two words that are no versions.",
		Causes:  []string{"A mistake in the package's metadata, or in a requirements file."},
		Remedy:  []string{"Correct the marker.", otherPins},
	},
	{
		Code: "ERYX-W003", Title: "a file that is not the package that it should be",
		Meaning: "A wheel or an archive is damaged, or not made as the specifications say.",
		Causes:  []string{"The download was cut off, or is an error page.", "The archive was packed by hand."},
		Remedy:  []string{getAgain, "Build the wheel again with its own build back end."},
	},
	{
		Code: "ERYX-W004", Title: "a wheel that was changed",
		Meaning: "A wheel lists its files with their digests in RECORD. What is in it is not what it says.",
		Causes:  []string{"The wheel was changed after it was built: patched by hand, damaged, or tampered with."},
		Remedy:  []string{getAgain, "Build it again, rather than editing it; `wheel pack` writes a new RECORD."},
	},
	{
		Code: "ERYX-W005", Title: "a name that has no place",
		Meaning: "An archive has a member whose name leads out of the directory that it is unpacked to, is absolute, is there twice, or is a file where another member has a directory. Nothing was taken from the archive.",
		Causes:  []string{"The archive was made to do harm, or by a tool with a mistake."},
		Remedy:  []string{"Do not use the archive; tell whoever published it."},
	},
	{
		Code: "ERYX-W006", Title: "an archive with too much in it",
		Meaning: "An archive unpacks to more files or bytes than are accepted. Reading stopped there.",
		Causes:  []string{"The archive was made to fill memory or disks.", "It brings data that does not belong into a package."},
		Remedy:  []string{"Do not use an archive that you do not trust.", "Leave large data out, and give it to the sandbox as files."},
	},
	{
		Code: "ERYX-W007", Title: "a wheel for something else",
		Meaning: "The tags in a wheel's name say that it is for another Python or another platform. Sandboxes are CPython 3.14 on wasi_wasm32.",
		Causes:  []string{"The wheel has native modules for Linux, macOS or Windows.", "It was built for an older Python and is not abi3."},
		Remedy:  []string{buildIt, "Look for a version with a pure wheel (py3-none-any).", leaveOut},
	},
	{
		Code: "ERYX-W008", Title: "a package that does not run on this Python",
		Meaning: "The package's metadata excludes Python 3.14.",
		Causes:  []string{"The version is too old, or has an upper bound."},
		Remedy:  []string{otherPins},
	},
	{
		Code: "ERYX-W009", Title: "a native module that cannot be loaded",
		Meaning: "A package has a native module in it that is for another platform or another Python, whatever the wheel's name says.",
		Causes:  []string{"A wheel was given a new name, or was tagged wrongly.", "Files of a native build were left in the directory."},
		Remedy:  []string{buildIt, "Build in a clean directory.", leaveOut},
	},
	{
		Code: "ERYX-W010", Title: "packages that exclude each other",
		Meaning: "Two packages bring the same file with different contents, or the same distribution in different versions.",
		Causes:  []string{"Two packages with the same import name, such as a fork and its origin.", "The same package was given by file and by name."},
		Remedy:  []string{"Leave one of them out."},
	},
	{
		Code: "ERYX-W011", Title: "requirements that are not met",
		Meaning: "A package requires another one that is not in the bundle, or is in the wrong version.",
		Causes:  []string{"Wheels were given as files, without what they require.", "A lock file is older than the list of packages."},
		Remedy:  []string{"Give the missing packages, by name or as files.", "Make the lock file again."},
	},
}
