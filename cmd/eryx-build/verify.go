package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/eryx-build/eryx/bundle"
)

// verification is the result of `eryx-build verify --json`.
type verification struct {
	Path    string `json:"path"`
	OK      bool   `json:"ok"`
	Digest  string `json:"digest,omitempty"`
	Members int    `json:"members,omitempty"` // how many were checked
	Problem string `json:"problem,omitempty"`
}

func (a *app) verifyCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "verify BUNDLE",
		Short:   "Check every byte of a bundle against its digests",
		GroupID: groupMain,
		Long: `Check every byte of a bundle against the digests in its manifest, whatever was
found out about the file before. The digest that is printed identifies the
bundle: compare it with the one of whoever made it, for a bundle that was
exchanged for another is in order, too. The exit status is 1 if the bundle is
damaged.`,
		Args: exactly(1, "the BUNDLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			result, err := verify(cmd.Context(), args[0])
			if err != nil && !errors.As(err, new(*bundle.FormatError)) {
				return inputError(err, "")
			}
			if err != nil {
				result.Problem = err.Error()
			}
			if asJSON {
				if err := a.printJSON(result); err != nil {
					return err
				}
			} else if result.OK {
				fmt.Fprintf(a.stdout, "%s: ok, %d members, digest %s\n", result.Path, result.Members, result.Digest)
			}
			if err != nil {
				return &failure{code: exitFailed, err: err}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func verify(ctx context.Context, path string) (*verification, error) {
	result := &verification{Path: path}
	b, err := bundle.OpenContext(ctx, path, nil)
	if err != nil {
		return result, err
	}
	defer b.Close()
	if err := b.Verify(ctx); err != nil {
		return result, err
	}
	result.OK, result.Digest, result.Members = true, b.Digest(), len(b.Manifest().Members)
	return result, nil
}
