package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/eryx-build/eryx/bundle"
	"github.com/eryx-build/eryx/preinit"
)

// inspection is the result of `eryx-build inspect --json`.
type inspection struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`   // of the file, in bytes
	Digest string `json:"digest"` // of the manifest, and thereby of everything
	// NativeHere says whether the bundle has native code for this machine;
	// otherwise it is compiled when the bundle is opened for the first time.
	NativeHere bool             `json:"native_here"`
	Manifest   *bundle.Manifest `json:"manifest"`
}

func (a *app) inspectCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "inspect BUNDLE",
		Short:   "Show what is in a bundle, and where it comes from",
		GroupID: groupMain,
		Long: `Show what is in a bundle: what it was made from, with digests and licences, the
packages and native modules in it, the options it was built with, the modules
that are imported, the memory's layout, and the size of each part. With --json, that is the manifest.`,
		Args: exactly(1, "the BUNDLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := bundle.OpenContext(cmd.Context(), args[0], nil)
			if err != nil {
				return inputError(err, "")
			}
			defer b.Close()
			result := inspection{Path: args[0], Size: b.Size(), Digest: b.Digest(), Manifest: b.Manifest()}
			if result.NativeHere, err = hasNative(cmd.Context(), result.Manifest); err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(result)
			}
			return printInspection(a.stdout, &result)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// hasNative reports whether a bundle has native code for this machine.
func hasNative(ctx context.Context, m *bundle.Manifest) (bool, error) {
	target, err := nativeTarget(ctx)
	return slices.ContainsFunc(m.Native, func(n bundle.NativeInfo) bool { return n.Target == target }), err
}

func printInspection(w io.Writer, i *inspection) error {
	m := i.Manifest
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(table, "%s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	line("bundle", "%s, %s", i.Path, formatSize(i.Size))
	line("digest", "%s", i.Digest)
	line("creator", "%s, format %d", m.Creator, m.Format)
	line("python", "%s", m.Python)
	line("world", "%s", m.World)
	for _, s := range m.Sources {
		if s.IsPackage() {
			continue
		}
		from := ""
		if s.File != "" {
			from = ", " + s.File
		}
		line("source", "%s %s (%s)%s", s.Name, s.Version, s.Licence, from)
		line("", "sha256 %s", s.SHA256)
	}
	for _, s := range m.Sources {
		if s.IsPackage() {
			line("package", "%s %s (%s), %s", s.Name, s.Version, s.Licence, s.File)
		}
	}
	preimport := "nothing"
	if len(m.Options.Preimport) > 0 {
		preimport = strings.Join(m.Options.Preimport, ", ")
	}
	line("preimport", "%s", preimport)
	if m.Options.SetupSHA256 != "" {
		line("setup", "sha256 %s", m.Options.SetupSHA256)
	}
	line("options", "%s standard library, hash seed %d, %s of C stack", m.Options.Stdlib, m.Options.HashSeed, formatSize(int64(m.Options.StackSize)))
	libraries, modules := splitModules(m.Link.Libraries)
	line("linked", "%s", strings.Join(libraries, ", "))
	line("", "%d functions (%d that nothing reaches dropped), %d imports, %s of code, %s of data",
		m.Link.Functions, m.Link.Dropped, m.Link.Imports, formatSize(int64(m.Link.Code)), formatSize(int64(m.Link.Data)))
	for _, module := range modules {
		line("module", "%s", module)
	}
	line("layout", "stack %#x-%#x, data to %#x, heap from %#x, table of %d", m.Layout.StackLow, m.Layout.StackHigh, m.Layout.DataEnd, m.Layout.HeapBase, m.Layout.TableSize)
	line("memory", "%s", formatSize(int64(m.Memory.Size)))
	here := "for this machine"
	if !i.NativeHere {
		here = "none for this machine: compiled when it is first opened"
	}
	for _, n := range m.Native {
		line("native", "%s", n.Target)
	}
	line("", "%s", here)
	for _, mount := range m.Mounts {
		line("mount", "%s from %s", mount.Path, mount.Member)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if _, err := io.WriteString(w, "\n"+wrap(fmt.Sprintf("%d modules imported: %s", len(m.Modules), strings.Join(m.Modules, ", ")), 78)+"\n\n"); err != nil {
		return err
	}
	return printMembers(w, m.Members)
}

// splitModules tells the native modules of packages, by their place in
// site-packages, from the libraries that were linked.
func splitModules(linked []string) (libraries, modules []string) {
	for _, name := range linked {
		if module, ok := strings.CutPrefix(name, preinit.SitePackagesPath+"/"); ok {
			modules = append(modules, module)
		} else {
			libraries = append(libraries, name)
		}
	}
	return libraries, modules
}

func printMembers(w io.Writer, members []bundle.Member) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "member\tsize\texpanded\tsha256\n")
	for _, member := range members {
		expanded := ""
		if member.Content != nil {
			expanded = formatSize(member.Content.Size)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%.16s\n", member.Name, formatSize(member.Size), expanded, member.SHA256)
	}
	return table.Flush()
}

// wrap breaks text at blanks into lines of at most width characters, of which
// all but the first are indented.
func wrap(text string, width int) string {
	var out strings.Builder
	column := 0
	for word := range strings.FieldsSeq(text) {
		switch {
		case column == 0:
		case column+1+len(word) > width:
			out.WriteString("\n  ")
			column = 2
		default:
			out.WriteByte(' ')
			column++
		}
		out.WriteString(word)
		column += len(word)
	}
	return out.String()
}
