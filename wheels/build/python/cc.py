"""Compiler, linker and archiver for extension modules of the WASI base.

Called by build back ends as `python cc.py cc|c++|ar|ranlib|strip ARGUMENT...`
where they would call the tools of a Unix system. What such a system's linker
would take and wasm-ld does not is dropped; what the base needs is added.
sdk.json, beside this file, says where everything is.
"""

import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))

SOURCES = {".c": "c", ".i": "c", ".cc": "c++", ".cpp": "c++", ".cxx": "c++", ".c++": "c++", ".C": "c++", ".ii": "c++", ".s": "asm", ".S": "asm"}
OBJECTS = (".o", ".obj", ".a", ".lo")

# Options of compilers for other machines, by how they begin.
NOT_FOR_COMPILING = (
    "-march=", "-mtune=", "-mcpu=", "-mfpmath=", "-mavx", "-msse", "-mmmx", "-mfma", "-mbmi", "-mpopcnt", "-mf16c", "-mno-avx", "-mno-sse", "-mpclmul",
    "-maes", "-msha", "-maltivec", "-mvsx", "-mfpu=", "-mfloat-abi=", "-mstackrealign", "-mpreferred-stack-boundary",
    "-pthread", "-fopenmp", "-fstack-protector", "-fcf-protection", "-fstack-clash-protection", "-fno-plt", "-flto", "-ffat-lto-objects",
    "-specs=", "-arch", "-isysroot", "-mmacosx-version-min", "--sysroot", "-static-libgcc", "-static-libstdc++", "-fuse-ld=",
    "-fno-semantic-interposition", "-D_FORTIFY_SOURCE", "-Wp,-D_FORTIFY_SOURCE", "-fvisibility=default",
)
# Those of them whose value is a word of its own.
WITH_VALUE = {"-arch", "-isysroot", "--sysroot"}

# Options whose value is the next word, so that it is not taken for a file.
TAKES_WORD = {
    "-o", "-I", "-D", "-U", "-L", "-l", "-isystem", "-iquote", "-idirafter", "-include", "-imacros", "-MF", "-MT", "-MQ", "-x", "-Xclang", "-Xlinker",
    "-Xpreprocessor", "-Xassembler", "-z", "-T", "-u", "-e", "-target", "-rpath", "-framework", "-soname", "-h", "-iwithprefix", "-iprefix",
}

# Libraries that are part of libc, or are linked anyway.
IN_BASE = {
    "c", "m", "dl", "pthread", "rt", "util", "crypt", "resolv", "nsl", "xnet", "gcc", "gcc_s", "stdc++", "c++", "c++abi", "supc++", "atomic", "unwind",
    "wasi-emulated-signal", "wasi-emulated-process-clocks", "wasi-emulated-getpid", "wasi-emulated-mman",
}


# Directories of the build machine's own headers and libraries.
OF_MACHINE = ("/usr", "/lib", "/lib64", "/opt/homebrew", "/opt/local", "/Library")


def of_machine(directory):
    path = os.path.abspath(directory)
    return any(path == top or path.startswith(top + "/") for top in OF_MACHINE) and "/site-packages/" not in path


def load():
    with open(os.path.join(HERE, "sdk.json"), encoding="utf-8") as f:
        return json.load(f)


def run(argv):
    return subprocess.run(argv, check=False).returncode


def expand(args):
    """Puts the content of response files in their place."""
    out = []
    for arg in args:
        if arg.startswith("@") and os.path.isfile(arg[1:]):
            import shlex

            with open(arg[1:], encoding="utf-8") as f:
                out += expand(shlex.split(f.read()))
        else:
            out.append(arg)
    return out


class Command:
    """A compiler's command line, taken apart."""

    def __init__(self, sdk, args):
        self.compile = []  # options for clang
        self.inputs = []  # (kind, word), in order: source, object, library
        self.dirs = []
        self.output = None
        self.mode = "link"
        self.shared = False
        self.language = None
        self.linker = []
        skip_dirs = {os.path.realpath(p) for p in sdk["host_includes"]}
        i = 0
        while i < len(args):
            arg, word = args[i], None
            if arg in TAKES_WORD or arg in WITH_VALUE:
                word = args[i + 1] if i + 1 < len(args) else ""
                i += 1
            i += 1
            self.take(arg, word, skip_dirs)

    def take(self, arg, word, skip_dirs):
        if arg == "-o":
            self.output = word
        elif arg.startswith("-o") and len(arg) > 2 and not arg.startswith("-objc"):
            self.output = arg[2:]
        elif arg in ("-c", "-S", "-E", "-fsyntax-only", "-M", "-MM"):
            self.mode = "compile"
            self.compile.append(arg)
        elif arg in ("-shared", "-bundle", "-dynamiclib"):
            self.shared = True
        elif arg == "-x":
            self.language = word
            self.inputs.append(("language", word))
        elif arg in ("-I", "-isystem", "-iquote", "-idirafter"):
            if os.path.realpath(word) not in skip_dirs and not of_machine(word):
                self.compile += [arg, word]
        elif arg.startswith("-I"):
            if os.path.realpath(arg[2:]) not in skip_dirs and not of_machine(arg[2:]):
                self.compile.append(arg)
        elif arg == "-L":
            self.dirs.append(word)
        elif arg.startswith("-L"):
            self.dirs.append(arg[2:])
        elif arg == "-l":
            self.inputs.append(("library", word))
        elif arg.startswith("-l"):
            self.inputs.append(("library", arg[2:]))
        elif arg == "-Xlinker":
            self.take_linker(word)
        elif arg.startswith("-Wl,"):
            for part in arg[4:].split(","):
                self.take_linker(part)
        elif arg.startswith(NOT_FOR_COMPILING) or arg in ("-target", "-z", "-T", "-u", "-e", "-rpath", "-framework", "-soname", "-h"):
            pass
        elif arg.startswith("--target=") or arg in ("-pie", "-no-pie", "-static", "-rdynamic", "-fPIE", "-fpie", "-s", "-nostdlib", "-nodefaultlibs", "-nostartfiles", "-undefined"):
            pass
        elif word is not None:
            self.compile += [arg, word]
        elif arg == "-" or not arg.startswith("-"):
            self.take_file(arg)
        else:
            self.compile.append(arg)

    def take_linker(self, part):
        if part in ("--version", "-v", "--whole-archive", "--no-whole-archive"):
            self.inputs.append(("raw", part))
            self.linker.append(part)

    def take_file(self, name):
        extension = os.path.splitext(name)[1]
        if name == "-" or extension in SOURCES or self.language not in (None, "none"):
            self.inputs.append(("source", name))
        elif name.endswith(OBJECTS):
            self.inputs.append(("object", name))
        elif ".so" in os.path.basename(name) or extension in (".dylib", ".dll"):
            self.inputs.append(("object", name))
        elif extension in (".h", ".hh", ".hpp", ".hxx"):
            self.inputs.append(("source", name))
        elif extension in (".map", ".ver", ".def", ".exp", ".lds", ".sym", ".vers"):
            pass  # a version script
        else:
            self.inputs.append(("object", name))


def compiler(sdk, cxx, command):
    """The part of a compiler's command line that is always there."""
    argv = sdk["clang"] + sdk["cflags"]
    if cxx:
        argv = argv + ["--driver-mode=g++"] + sdk["cxxflags"]
    return argv + command.compile + sdk["cincludes_cxx" if cxx else "cincludes"]


def sources_of(command):
    return [word for kind, word in command.inputs if kind == "source"]


def is_cxx(tool, command):
    if command.language not in (None, "none"):
        return command.language.startswith("c++")
    names = sources_of(command)
    if names and names[0] != "-":
        return SOURCES.get(os.path.splitext(names[0])[1], "c") == "c++" or tool == "c++"
    return tool == "c++"


def compile_only(sdk, tool, command):
    argv = compiler(sdk, is_cxx(tool, command), command)
    for kind, word in command.inputs:
        if kind == "source":
            argv.append(word)
        elif kind == "language":
            argv += ["-x", word]
    if command.output is not None:
        argv += ["-o", command.output]
    return run(argv)


def find_library(sdk, command, name):
    for directory in command.dirs:
        if of_machine(directory):
            continue
        for pattern in ("lib%s.a", "lib%s.so"):
            path = os.path.join(directory, pattern % name)
            if os.path.isfile(path):
                return path
    return None


def link(sdk, tool, command):
    cxx = tool == "c++" or is_cxx(tool, command)
    with tempfile.TemporaryDirectory(prefix="eryx-cc-") as temp:
        files = []
        for kind, word in command.inputs:
            if kind == "source":
                made = os.path.join(temp, "%d.o" % len(files))
                argv = compiler(sdk, SOURCES.get(os.path.splitext(word)[1], "c++" if cxx else "c") == "c++" or tool == "c++", command)
                if word == "-" and command.language:
                    argv += ["-x", command.language]
                status = run(argv + ["-c", word, "-o", made])
                if status:
                    return status
                files.append(made)
            elif kind in ("object", "raw"):
                files.append(word)
            elif kind == "library" and word not in IN_BASE and not word.startswith("python3"):
                path = find_library(sdk, command, word)
                if path is None:
                    sys.stderr.write("cc.py: there is no library %r for WebAssembly: the package needs it\n" % word)
                    return 1
                files.append(path)
        if not files:
            return run(compiler(sdk, cxx, command))
        argv = list(sdk["ld"])
        if command.shared:
            argv += sdk["ldflags"]
        else:
            argv += sdk["ldflags_program"]
        argv += [sdk["crt"]] + files + sdk["libs"]
        if cxx:
            argv += sdk["cxxlibs"]
        # After the libraries, which export a few of the same names.
        argv += sdk["builtins"]
        return run(argv + ["-o", command.output or "a.out"])


def main():
    sdk = load()
    tool, args = sys.argv[1], expand(sys.argv[2:])
    if tool in ("ar", "ranlib"):
        return run(sdk[tool] + args)
    if tool == "strip":
        return 0
    command = Command(sdk, args)
    if "--version" in command.linker or "-v" in command.linker:
        print(sdk["ld_version"])
        return 0
    if command.mode == "compile" or not command.inputs:
        return compile_only(sdk, tool, command)
    return link(sdk, tool, command)


if __name__ == "__main__":
    sys.exit(main())
