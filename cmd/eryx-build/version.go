package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/eryx-build/eryx/internal/version"
)

// versionInfo is the result of `eryx-build version --json`.
type versionInfo struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"` // of the source tree, if it was built from one
	Modified bool   `json:"modified,omitempty"` // whether the tree had changes beyond it
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
	Engine   string `json:"engine,omitempty"` // version of the WebAssembly engine
}

func (a *app) versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		GroupID: groupCare,
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			info := currentVersion()
			if asJSON {
				return a.printJSON(info)
			}
			_, err := fmt.Fprintf(a.stdout, "eryx-build %s (%s, %s/%s)\n", info.Version, info.Go, info.OS, info.Arch)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func currentVersion() versionInfo {
	info := versionInfo{Version: version.Version, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	built, ok := debug.ReadBuildInfo()
	if !ok {
		return info
	}
	for _, setting := range built.Settings {
		switch setting.Key {
		case "vcs.revision":
			info.Revision = setting.Value
		case "vcs.modified":
			info.Modified = setting.Value == "true"
		}
	}
	for _, dependency := range built.Deps {
		if dependency.Path == "github.com/tetratelabs/wazero" {
			info.Engine = "wazero " + dependency.Version
		}
	}
	return info
}

// printJSON writes a result as indented JSON.
func (a *app) printJSON(v any) error {
	encoder := json.NewEncoder(a.stdout)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}
