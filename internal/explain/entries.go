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
		Code: "ERYX-B001", Title: "something that cannot be built",
		Meaning: "`eryx-build wheel` builds one version of one package, from the index, from an sdist or from a directory with its source. What it was given is none of these, or cannot be read.",
		Causes:  []string{"A range of versions, extras or a marker was given.", "The directory has neither pyproject.toml nor setup.py.", "The archive is damaged, or is no sdist.", "The directory given with --headers is not CPython 3.14's."},
		Remedy:  []string{"Give NAME, NAME==VERSION, an sdist, or a directory."},
	},
	{
		Code: "ERYX-B002", Title: "a tool for building wheels that is missing",
		Meaning: "Compiler and build back ends come from the package index, but two things have to be on the machine: a Python that back ends run on, and CPython 3.14's C headers.",
		Causes:  []string{"There is no Python 3.12 or newer, or it has no module venv.", "There is no Python 3.14 with its headers, and apt-get is not there or does not offer them."},
		Remedy:  []string{"Install Python 3.14 with its headers: it serves for both.", "Name a Python with --python or $ERYX_PYTHON, and a directory with Python.h with --headers."},
	},
	{
		Code: "ERYX-B003", Title: "a source or a build requirement that cannot be fetched",
		Meaning: "Your own pip could not get the package's source, the compiler, or what the package's build needs. The message has pip's own words.",
		Causes:  []string{"The index cannot be reached, or does not have that version.", "The package has no sdist.", "The file that was served is not the one that the recipe was made for."},
		Remedy:  []string{"Check the client's configuration: index, proxy, certificates.", "Give the sdist's file instead of its name."},
	},
	{
		Code: "ERYX-B004", Title: "something for a build that is not here",
		Meaning: "Something would have to be downloaded to build the wheel, and --offline forbids it.",
		Causes:  []string{"The wheel, its source or its build requirements are not in the cache.", "No version was given, and which is the newest only the index knows."},
		Remedy:  []string{"Run once without --offline.", "Give the version that is in the cache."},
	},
	{
		Code: "ERYX-B005", Title: "a build that failed",
		Meaning: "The package's own build did not succeed for this target. The end of what it printed is in the message, and all of it in the file that the message names.",
		Causes: []string{
			"The package needs a library that is not there for WebAssembly.",
			"It is written for a platform with threads, processes or memory mapping, and does not ask whether they exist.",
			"Its build runs a program that it has just compiled, which cannot work when compiling for another machine.",
			"It is older than CPython 3.14.",
		},
		Remedy: []string{"Look for an option of the package that leaves the part out, and put it into a recipe (--recipe FILE).", "Try a newer version.", leaveOut},
	},
	{
		Code: "ERYX-B006", Title: "a recipe that does not fit",
		Meaning: "A recipe says how a package is built for this target: options, build requirements, patches. It is malformed, or was made for another version of the package.",
		Causes:  []string{"A key is misspelt.", "A patch does not apply to the version that is built.", "The recipe is for another package."},
		Remedy:  []string{"Build the version that the recipe pins.", "Correct the recipe, or give another with --recipe."},
	},
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
		Code: "ERYX-R001", Title: "requirements that cannot be understood",
		Meaning: "A requirement, a requirements file, a lock file, a script's inline metadata or a [tool.eryx] table says something that has no meaning here, or asks for another Python. The message names the file and the line.",
		Causes:  []string{"A misspelt name, version or option.", "An editable package, a repository of sources or a directory where a wheel is needed.", "A relative path that is meant to be of another directory: paths are of the file that they are written in."},
		Remedy:  []string{"Correct the line that the message names.", "Build a wheel of what is not one, and give the wheel."},
	},
	{
		Code: "ERYX-R002", Title: "a package without a usable wheel",
		Meaning: "A package, or one that it depends on, is not offered as a wheel that the sandbox can use: either one without native code, or one that was built for CPython 3.14 on WASI. Wheels for Linux, macOS and Windows hold machine code, which a sandbox cannot run. The message says what is offered and what asks for it.",
		Causes:  []string{"The package has native modules, and nobody has published them for this target.", "The name is misspelt, or the package client looks in another index.", "No version of the package supports this version of Python."},
		Remedy:  []string{buildIt, "Give a wheel or a NAME-wasi.tar.gz that was built elsewhere with -p.", otherPins, leaveOut},
	},
	{
		Code: "ERYX-R003", Title: "requirements that cannot all be met",
		Meaning: "There is no choice of versions with which everything that is required is satisfied. The message has the package client's own words for which requirements exclude each other.",
		Causes:  []string{"Two packages need different versions of a third one.", "A version is pinned that another package does not work with."},
		Remedy:  []string{"Loosen the versions that are asked for.", otherPins},
	},
	{
		Code: "ERYX-R004", Title: "packages that cannot be fetched",
		Meaning: "pip or uv, which fetch packages the way they are configured on this machine, failed, or neither is there.",
		Causes:  []string{"The network, a proxy, a certificate or a password.", "What a lock file pins is not offered any more.", "The client is too old: pip 22.2 or newer is needed, or uv 0.7 or newer."},
		Remedy:  []string{"Try the client itself with the same package: `pip download NAME`.", "Name another client in $ERYX_PIP, such as `python3.13 -m pip` or `uv`.", "Give the wheels as files with -p."},
	},
	{
		Code: "ERYX-R005", Title: "a package that is not the one that was pinned",
		Meaning: "A file has another SHA-256 than the index, the lock file or the requirements say.",
		Causes:  []string{"The file was damaged on its way, or somebody has tampered with it.", "The index serves another file under the same name, such as one that was built anew.", "The requirements have the digests of other platforms' wheels only."},
		Remedy:  []string{"Find out where the file comes from before anything else.", "If the change is meant, make the lock file again without --locked."},
	},
	{
		Code: "ERYX-R006", Title: "packages that are not here",
		Meaning: "--offline forbids connections, and something that is needed is neither among the files that were given nor in the cache.",
		Causes:  []string{"The same requirements were never resolved on this machine.", "The cache was pruned."},
		Remedy:  []string{"Run once without --offline.", "Bring a lock file and the wheels from another machine, and give the wheels with -p."},
	},
	{
		Code: "ERYX-R007", Title: "a lock file that does not fit",
		Meaning: "--locked demands that the lock file is used as it is, and it is not there, or was made for other requirements.",
		Causes:  []string{"Requirements were changed and the lock file was not made again.", "The lock file was not committed."},
		Remedy:  []string{"Run without --locked, and commit the lock file."},
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
