package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/eryx-build/eryx/bundle"
	"github.com/eryx-build/eryx/internal/base"
	"github.com/eryx-build/eryx/internal/cache"
	"github.com/eryx-build/eryx/internal/engine/wazero"
)

// The outcomes of a check, from good to bad.
const (
	statusOK      = "ok"
	statusWarning = "warning" // works, but not as well as it could
	statusFailed  = "failed"  // something needed does not work
)

// check is one line of `eryx-build doctor`.
type check struct {
	Name   string `json:"name"`
	Status string `json:"status"`
	Detail string `json:"detail"`
	Next   string `json:"next,omitempty"` // what to do about it
}

// diagnosis is the result of `eryx-build doctor --json`.
type diagnosis struct {
	OK     bool    `json:"ok"` // nothing failed
	Checks []check `json:"checks"`
}

func (a *app) doctorCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "doctor",
		Short:   "Check whether this machine has what is needed",
		GroupID: groupCare,
		Long: `Check whether this machine has what is needed to make and to run bundles, and
say what to do where it has not. Nothing is built and no connection is made.
The exit status is 1 if something needed does not work.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.examine(cmd.Context(), asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) examine(ctx context.Context, asJSON bool) error {
	result := diagnosis{OK: true, Checks: checks(ctx)}
	for _, c := range result.Checks {
		result.OK = result.OK && c.Status != statusFailed
	}
	if asJSON {
		if err := a.printJSON(result); err != nil {
			return err
		}
	} else if err := printChecks(a.stdout, result.Checks); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if !result.OK {
		return silent{exitFailed}
	}
	return nil
}

func printChecks(w io.Writer, checks []check) error {
	var text strings.Builder
	for _, c := range checks {
		fmt.Fprintf(&text, "%-8s %-15s %s\n", c.Status, c.Name, c.Detail)
		if c.Next != "" {
			fmt.Fprintf(&text, "%24s %s\n", "", c.Next)
		}
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// checks examines the machine. A check whose ground is missing is left out.
func checks(ctx context.Context) []check {
	list := []check{checkPlatform(ctx)}
	dir, err := cache.DefaultDir()
	if err != nil {
		return append(list, check{"cache", statusFailed, err.Error(), ""})
	}
	cacheCheck := checkCache(dir)
	list = append(list, cacheCheck)
	if cacheCheck.Status == statusFailed {
		return append(list, checkBase(ctx, nil))
	}
	c, err := cache.Open(dir)
	if err != nil {
		return append(list, check{"cache", statusFailed, err.Error(), ""})
	}
	return append(list, checkDisk(dir), checkMemoryImage(dir), checkBase(ctx, c), checkDefaultBundle(ctx))
}

// checkPlatform tells where native code for this machine can be made.
func checkPlatform(ctx context.Context) check {
	const name = "platform"
	platform := runtime.GOOS + "/" + runtime.GOARCH
	target, err := nativeTarget(ctx)
	switch {
	case err != nil:
		return check{name, statusFailed, platform + ": " + err.Error(), ""}
	case target == "":
		return check{name, statusFailed, platform + ": there is no compiler for this processor", "use a 64-bit x86 or ARM machine"}
	}
	return check{name, statusOK, platform + ", native code " + target, ""}
}

// nativeTarget names what native code has to be for to be used here.
func nativeTarget(ctx context.Context) (string, error) {
	engine, err := wazero.New(ctx, wazero.Config{})
	if err != nil {
		return "", err
	}
	target := engine.Target()
	return target, engine.Close(ctx)
}

func checkCache(dir string) check {
	const name = "cache"
	c, err := cache.Open(dir)
	if err == nil {
		var temp string
		if temp, err = c.TempDir(); err == nil {
			err = errors.Join(os.WriteFile(filepath.Join(temp, "probe"), []byte("probe"), 0o600), os.RemoveAll(temp))
		}
	}
	if err != nil {
		return check{name, statusFailed, err.Error(), ""} // it says what to do
	}
	return check{name, statusOK, dir + " can be written", ""}
}

// What a build writes, bundle and cache together, and what it cannot do without.
const (
	comfortableSpace = 1 << 30   // bytes
	necessarySpace   = 256 << 20 // bytes
)

func checkDisk(dir string) check {
	const name = "disk"
	free, err := freeSpace(dir)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return check{name, statusOK, "free space is not known on this platform", ""}
	case err != nil:
		return check{name, statusWarning, fmt.Sprintf("free space at %s: %v", dir, err), ""}
	}
	detail := formatSize(int64(free)) + " free at " + dir
	next := "free some, e.g. with `eryx-build cache prune`, or set ERYX_CACHE to where there is more"
	switch {
	case free < necessarySpace:
		return check{name, statusFailed, detail + "; a build needs " + formatSize(necessarySpace), next}
	case free < comfortableSpace:
		return check{name, statusWarning, detail, next}
	}
	return check{name, statusOK, detail, ""}
}

func checkMemoryImage(dir string) check {
	const name = "memory mapping"
	err := checkMapping(dir)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return check{name, statusWarning, "not used on this platform: each sandbox copies the memory image", ""}
	case err != nil:
		return check{name, statusFailed, fmt.Sprintf("files in %s cannot be mapped: %v", dir, err), "set ERYX_CACHE to a directory on a local file system"}
	}
	return check{name, statusOK, "sandboxes share the memory image, copy-on-write", ""}
}

// checkBase looks for what bundles are made of: in the cache or, failing
// that, the client that would fetch it.
func checkBase(ctx context.Context, c *cache.Cache) check {
	const name = "base"
	distribution, version := base.Version()
	if c != nil {
		if _, err := base.Load(ctx, base.Options{Offline: true, Cache: c}); err == nil {
			return check{name, statusOK, distribution + " " + version + " is in the cache; builds work offline", ""}
		}
	}
	client, err := base.FindClient(ctx)
	if err != nil {
		wheel := fmt.Sprintf("give a wheel of %s %s with --base", distribution, version)
		var known *base.Error
		if errors.As(err, &known) {
			return check{name, statusFailed, known.Problem, known.Remedy + "; or " + wheel}
		}
		return check{name, statusFailed, err.Error(), wheel}
	}
	return check{name, statusOK, fmt.Sprintf("%s %s is not in the cache; the first build fetches it with %s", distribution, version, client), ""}
}

// checkDefaultBundle looks at what `eryx-build run` uses without a bundle.
func checkDefaultBundle(ctx context.Context) check {
	const name = "default bundle"
	path, err := defaultBundlePath()
	if err != nil {
		return check{name, statusFailed, err.Error(), ""}
	}
	if !exists(path) {
		return check{name, statusOK, "not built yet; `eryx-build run` builds it when it needs it", ""}
	}
	b, err := bundle.OpenContext(ctx, path, nil)
	if err != nil {
		return check{name, statusFailed, err.Error(), "build it again with `eryx-build bundle --default`"}
	}
	defer b.Close()
	here, err := hasNative(ctx, b.Manifest())
	switch {
	case err != nil:
		return check{name, statusWarning, fmt.Sprintf("%s is in order, but: %v", path, err), ""}
	case !here:
		return check{name, statusWarning, path + " has no native code for this machine, which costs seconds once", "build it again with `eryx-build bundle --default`"}
	}
	return check{name, statusOK, path + " has native code for this machine", ""}
}
