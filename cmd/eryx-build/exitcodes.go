package main

import "github.com/spf13/cobra"

// exitCodesTopic is `eryx-build help exit-codes`.
func exitCodesTopic() *cobra.Command {
	return &cobra.Command{
		Use:   "exit-codes",
		Short: "What the exit status of eryx-build means",
		Long: `The exit status of eryx-build:

    0   success
    1   run: the script raised an exception, whose traceback is on standard
        error; verify, doctor: something is wrong, and was named
    2   the command line is wrong
    3   an input is unusable: a base, a bundle, a package, a requirement, a lock
        file or another file that was given
    4   a bundle or a wheel could not be built, or a result not be written
    5   run: the sandbox ended the script (--fuel), or the interpreter crashed
  124   run: the script's time was up (--timeout)
  130   interrupted (SIGINT), the script of run as well; 143: terminated (SIGTERM)

A script that leaves by sys.exit(n) makes "eryx-build run" exit with n, as
python does, so that n may coincide with one of these. What eryx-build itself
has to say about a failure begins with "eryx-build:" on standard error.`,
	}
}
