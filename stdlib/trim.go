package stdlib

import "strings"

// Why files are left out.
const (
	becauseTk        = "needs _tkinter, a graphical toolkit"
	becauseReplaced  = "is replaced by one of the support modules, as it needs _ctypes, which calls native code"
	becauseCurses    = "needs _curses, a terminal"
	becauseTermios   = "needs termios, a terminal"
	becauseREPL      = "belongs to the interactive interpreter, which needs a terminal"
	becauseDebugging = "needs _remote_debugging, another process"
	becauseProcesses = "installs packages into other environments, which needs processes"
	becauseInterps   = "needs _interpreters, several interpreters in one process"
	becauseDBM       = "needs a dbm library"
	becauseOtherOS   = "is for another operating system"
	becauseBuilding  = "is for building Python and extension modules"
	becauseTest      = "is for Python's own tests"
	becauseDocs      = "is documentation"
	becauseTyping    = "is configuration of development tools"
	becauseMount     = "is in the directory that the site-packages image covers"
)

// trimmed lists what the trimmed profile leaves out: files, and directories
// with a slash at the end.
//
// What it does not list, though it needs an extension module that this Python
// lacks, are modules that are small and whose extension modules a bundle may
// add (ssl, bz2, lzma, compression.*), and those that say themselves what the
// platform lacks (subprocess, multiprocessing): they give better errors.
var trimmed = map[string]string{
	"idlelib/":    becauseTk,
	"tkinter/":    becauseTk,
	"turtle.py":   becauseTk,
	"turtledemo/": becauseTk,

	"curses/": becauseCurses,
	"pty.py":  becauseTermios,
	"tty.py":  becauseTermios,

	"_pyrepl/":            becauseREPL,
	"asyncio/__main__.py": becauseREPL,
	"asyncio/tools.py":    becauseDebugging,

	"ensurepip/": becauseProcesses,
	"venv/":      becauseProcesses,

	"concurrent/interpreters/":          becauseInterps,
	"concurrent/futures/interpreter.py": becauseInterps,

	"dbm/gnu.py":  becauseDBM,
	"dbm/ndbm.py": becauseDBM,

	"_aix_support.py":                      becauseOtherOS,
	"_android_support.py":                  becauseOtherOS,
	"_apple_support.py":                    becauseOtherOS,
	"_ios_support.py":                      becauseOtherOS,
	"_osx_support.py":                      becauseOtherOS,
	"asyncio/windows_events.py":            becauseOtherOS,
	"asyncio/windows_utils.py":             becauseOtherOS,
	"encodings/_win_cp_codecs.py":          becauseOtherOS,
	"encodings/mbcs.py":                    becauseOtherOS,
	"encodings/oem.py":                     becauseOtherOS,
	"multiprocessing/popen_spawn_win32.py": becauseOtherOS,

	"__hello__.py": becauseTest,
	"__phello__/":  becauseTest,
	"test/":        becauseTest,

	"pydoc_data/":            becauseDocs,
	"email/architecture.rst": becauseDocs,
	"tomllib/mypy.ini":       becauseTyping,
}

// replaced lists what no profile has, as support modules stand in for it: they
// come later on the search path.
const replaced = "ctypes/"

// kept are exceptions: parts of _pyrepl that pydoc and pdb import.
var kept = map[string]bool{
	"_pyrepl/__init__.py": true,
	"_pyrepl/pager.py":    true,
	"_pyrepl/trace.py":    true,
	"_pyrepl/types.py":    true,
	"_pyrepl/utils.py":    true,
}

// drop gives the reason why a profile leaves a file out, or "".
func drop(file string, profile Profile) string {
	if strings.HasPrefix(file, "site-packages/") {
		return becauseMount
	}
	if strings.HasPrefix(file, replaced) {
		return becauseReplaced
	}
	if profile == Full || kept[file] {
		return ""
	}
	if strings.HasPrefix(file, "config-") { // with the platform's name
		return becauseBuilding
	}
	if reason := trimmed[file]; reason != "" {
		return reason
	}
	for i, c := range file {
		if c == '/' {
			if reason := trimmed[file[:i+1]]; reason != "" {
				return reason
			}
		}
	}
	return ""
}
