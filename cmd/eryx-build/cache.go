package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/eryx-build/eryx/internal/cache"
)

func (a *app) cacheCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "cache",
		Short:   "Look at the cache, or make room",
		GroupID: groupCare,
		Long: `The cache holds what was expensive to make: the Python base, what each stage of
a build made of it, the default bundle, expanded native code. It is a directory
named eryx in the user's cache directory; ERYX_CACHE puts it elsewhere. Nothing
in it is needed: what is removed is made again when it is asked for.`,
		Args: noArguments,
		RunE: showHelp,
	}
	cmd.AddCommand(a.cacheDirCommand(), a.cacheListCommand(), a.cachePruneCommand())
	return cmd
}

// openCache opens the user's cache, which it creates if there is none.
func (a *app) openCache() (*cache.Cache, error) {
	c, err := cache.Open("")
	if err != nil {
		return nil, &failure{code: exitBuild, err: err}
	}
	return c, nil
}

func (a *app) cacheDirCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "dir",
		Short: "Print the cache's directory",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			dir, err := cache.DefaultDir()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.stdout, dir)
			return err
		},
	}
}

// cacheListing is the result of `eryx-build cache ls --json`.
type cacheListing struct {
	Dir   string       `json:"dir"`
	Size  int64        `json:"size"` // in bytes
	Items []cache.Item `json:"items"`
}

func (a *app) cacheListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list"},
		Short:   "List what is in the cache, last used first",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			c, err := a.openCache()
			if err != nil {
				return err
			}
			items, total, err := c.List()
			if err != nil {
				return err
			}
			listing := cacheListing{Dir: c.Dir(), Size: total, Items: items}
			if asJSON {
				if listing.Items == nil {
					listing.Items = []cache.Item{}
				}
				return a.printJSON(listing)
			}
			return printListing(a.stdout, listing)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printListing(w io.Writer, listing cacheListing) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, item := range listing.Items {
		kind := item.Kind
		if item.Stage != "" {
			kind = item.Stage
		}
		name := item.Name
		if len(name) > 16 {
			name = name[:16]
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", item.Used.Local().Format("2006-01-02 15:04"), kind, formatSize(item.Size), name, item.Label)
	}
	fmt.Fprintf(table, "%s in %s\n", formatSize(listing.Size), listing.Dir)
	return table.Flush()
}

func (a *app) cachePruneCommand() *cobra.Command {
	var (
		options cache.PruneOptions
		age     durationValue
		asJSON  bool
	)
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Remove what was not used for a while",
		Long: fmt.Sprintf(`Remove from the cache what was not used for %d days, or for the time given with
--older-than, or with --all everything that no other process holds.`, int(cache.DefaultAge/(24*time.Hour))),
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if options.All && age.duration != 0 {
				return usageError(cmd, "--all and --older-than exclude each other")
			}
			c, err := a.openCache()
			if err != nil {
				return err
			}
			c.Notify = a.note
			options.OlderThan = age.duration
			pruned, err := c.Prune(cmd.Context(), options)
			if err != nil {
				return fmt.Errorf("prune the cache: %w", err)
			}
			if asJSON {
				return a.printJSON(pruned)
			}
			verb := "removed"
			if options.DryRun {
				verb = "would remove"
			}
			_, err = fmt.Fprintf(a.stdout, "%s %d files, %s\n", verb, pruned.Files, formatSize(pruned.Bytes))
			return err
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&options.All, "all", false, "remove everything")
	flags.Var(&age, "older-than", "remove what was not used for this `DURATION`, e.g. 72h")
	flags.BoolVarP(&options.DryRun, "dry-run", "n", false, "remove nothing, only say how much")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// note tells a person something in one sentence.
func (a *app) note(message string) { fmt.Fprintf(a.stderr, "%s\n", message) }
