package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/eryx-build/eryx/internal/explain"
)

func (a *app) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "explain [CODE]",
		Short:   "Explain the code of an error",
		GroupID: groupCare,
		Long: `Explain the code that an error came with: what it means, what usually causes it
and what to do. Without a CODE, list all of them.`,
		Example: `  eryx-build explain ERYX-L002
  eryx-build explain l002`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError(cmd, "unexpected argument %q", args[1])
			}
			return nil
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			var codes []cobra.Completion
			if len(args) == 0 {
				for _, entry := range explain.All() {
					codes = append(codes, cobra.CompletionWithDesc(entry.Code, entry.Title))
				}
			}
			return codes, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return listCodes(a.stdout)
			}
			entry, ok := explain.Lookup(args[0])
			if !ok {
				return &failure{code: exitUsage, err: fmt.Errorf("there is no code %q", args[0]), next: "`eryx-build explain` lists them"}
			}
			_, err := io.WriteString(a.stdout, entry.String())
			return err
		},
	}
}

func listCodes(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, entry := range explain.All() {
		fmt.Fprintf(table, "%s\t%s\n", entry.Code, entry.Title)
	}
	return table.Flush()
}
