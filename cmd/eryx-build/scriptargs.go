package main

import (
	"strings"

	"github.com/spf13/pflag"
)

// commandLine is a command line of `eryx-build run`, taken apart: everything
// that follows the script belongs to the script, whatever it looks like.
type commandLine struct {
	options []string // ours
	bundle  string   // "" for the default one
	code    *string  // of -c
	file    string   // "-" for standard input, "" with -c or where nothing was given
	args    []string // the script's, without its name
}

// splitCommandLine takes args apart as python does: options end with -c, with
// the script's name or with "-". A first positional argument that isBundle
// accepts is the bundle; options may follow it.
func splitCommandLine(flags *pflag.FlagSet, args []string, isBundle func(string) bool) commandLine {
	var line commandLine
	onlyArguments := false // after "--"
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case onlyArguments, arg == "-", !strings.HasPrefix(arg, "-"):
			if line.bundle == "" && arg != "-" && isBundle(arg) {
				line.bundle = arg
				continue
			}
			line.file, line.args = arg, args[i+1:]
			return line
		case arg == "--":
			onlyArguments = true
		case (arg == "-c" || arg == "--command") && i+1 < len(args):
			line.code, line.args = &args[i+1], args[i+2:]
			return line
		case strings.HasPrefix(arg, "--command="), strings.HasPrefix(arg, "-c") && len(arg) > len("-c"):
			code, found := strings.CutPrefix(arg, "--command=")
			if !found {
				code = arg[len("-c"):]
			}
			line.code, line.args = &code, args[i+1:]
			return line
		default:
			line.options = append(line.options, arg)
			if takesValue(flags, arg) && i+1 < len(args) {
				i++
				line.options = append(line.options, args[i])
			}
		}
	}
	return line
}

// takesValue reports whether the value of an option is the next argument.
func takesValue(flags *pflag.FlagSet, arg string) bool {
	if name, long := strings.CutPrefix(arg, "--"); long {
		flag := flags.Lookup(name)
		return flag != nil && flag.NoOptDefVal == ""
	}
	// The first letter that takes a value has the rest of the argument as its
	// value, if there is any.
	for i := 1; i < len(arg); i++ {
		flag := flags.ShorthandLookup(arg[i : i+1])
		if flag == nil {
			return false
		}
		if flag.NoOptDefVal == "" {
			return i == len(arg)-1
		}
	}
	return false
}
