// Package pyclient runs the package client that the user has: pip, in whatever
// Python it is installed, or uv. So packages come from where the user's
// configuration says, through the user's proxies, with the user's credentials
// and certificates, and this module knows none of them.
//
// What a client printed when it failed is condensed to one cause: see
// [Failure].
package pyclient

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// EnvClient is the environment variable that names the package client to use,
// a command line such as "python3.13 -m pip", "/opt/tools/pip" or "uv".
const EnvClient = "ERYX_PIP"

// PythonVersion is what packages are chosen for.
const PythonVersion = "3.14"

// Client is a package client of the user's. It is a value without state.
type Client struct {
	Name string // for messages
	UV   bool   // uv, which takes other options than pip

	argv []string
	// module: Python looks for pip in the working directory first, where
	// anything may lie.
	module bool
}

// Clients lists the package clients to try, the preferred one first. Those
// that turn out to be absent, such as a Python without pip, are to be passed
// over: see [Try]. The error is a [*Failure].
func Clients() ([]Client, error) {
	if line := os.Getenv(EnvClient); line != "" {
		argv, err := splitCommand(line)
		if err != nil {
			return nil, &Failure{Client: "$" + EnvClient, Problem: err.Error(), Remedy: "set it to a command such as `python3 -m pip` or `uv`"}
		}
		c := Client{Name: line, argv: argv}
		if name := strings.TrimSuffix(strings.ToLower(filepath.Base(argv[0])), ".exe"); name == "uv" {
			c.UV = true
			if len(argv) > 1 && argv[len(argv)-1] == "pip" {
				c.argv = argv[:len(argv)-1]
			}
		}
		return []Client{c}, nil
	}
	pythons := []string{"python3", "python"}
	if runtime.GOOS == "windows" {
		pythons = []string{"py", "python3", "python"}
	}
	var list []Client
	for _, name := range pythons {
		if path, err := exec.LookPath(name); err == nil {
			list = append(list, Client{Name: name + " -m pip", argv: []string{path, "-m", "pip"}, module: true})
		}
	}
	for _, name := range []string{"pip3", "pip"} {
		if path, err := exec.LookPath(name); err == nil {
			list = append(list, Client{Name: name, argv: []string{path}})
		}
	}
	if path, err := exec.LookPath("uv"); err == nil {
		list = append(list, Client{Name: "uv", argv: []string{path}, UV: true})
	}
	return list, nil
}

// Try calls use with one client after the other, until one is not absent. The
// error is use's, or a [*Failure] if no client works.
func Try(use func(Client) error) error {
	list, err := Clients()
	if err != nil {
		return err
	}
	var absent []string
	for _, c := range list {
		err := use(c)
		var failure *Failure
		if errors.As(err, &failure) && failure.Absent && os.Getenv(EnvClient) == "" {
			absent = append(absent, c.Name+" ("+failure.Detail+")")
			continue
		}
		return err
	}
	problem := "no package client found"
	if len(absent) > 0 {
		problem += "; tried " + strings.Join(absent, ", ")
	}
	return &Failure{Absent: true, Problem: problem, Remedy: fmt.Sprintf("install pip (python3 -m ensurepip) or uv, or name one in $%s", EnvClient)}
}

// splitCommand splits a command line at blanks; quotes keep blanks, and a line
// that is the name of a file as it stands is that file.
func splitCommand(line string) ([]string, error) {
	if info, err := os.Stat(line); err == nil && !info.IsDir() {
		return []string{line}, nil
	}
	var argv []string
	var word strings.Builder
	var quote rune
	inWord := false
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			quote, inWord = r, true
		case r == ' ' || r == '\t':
			if inWord {
				argv = append(argv, word.String())
				word.Reset()
				inWord = false
			}
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("has an unclosed quote: %s", line)
	}
	if inWord {
		argv = append(argv, word.String())
	}
	if len(argv) == 0 || argv[0] == "" {
		return nil, errors.New("names no command")
	}
	return argv, nil
}
