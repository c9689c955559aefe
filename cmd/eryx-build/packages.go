package main

import "github.com/spf13/pflag"

// packageFlags are the options that say which packages a bundle has.
type packageFlags struct {
	packages     []string
	requirements []string
	findLinks    []string
	lock         string
	locked       bool
	upgrade      bool
}

func (f *packageFlags) register(flags *pflag.FlagSet) {
	flags.StringArrayVarP(&f.packages, "package", "p", nil, "install this `PACKAGE`: a requirement, a wheel, NAME-wasi.tar.gz, a directory; repeatable")
	flags.StringArrayVarP(&f.requirements, "requirements", "r", nil, "install what this requirements `FILE` lists; repeatable")
	flags.StringArrayVar(&f.findLinks, "find-links", nil, "consider the wheels in this `DIR` as well; repeatable")
	flags.StringVar(&f.lock, "lock", "", "pin the packages in this `FILE`, and use what it pins")
	flags.BoolVar(&f.locked, "locked", false, "fail if the lock file does not fit what is asked for")
	flags.BoolVar(&f.upgrade, "upgrade", false, "take newer packages than the lock file has")
}
