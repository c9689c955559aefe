package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/eryx-build/eryx"
)

// secretFlags say which values a script uses and does not see. They are never on
// the command line, where everybody on the machine can read them.
type secretFlags struct {
	secrets   []string
	cleartext []string
}

func (f *secretFlags) register(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.secrets, "secret", nil, "have the environment variable NAME, or with =FILE what is in a file, in its requests to HOST only, and show it a placeholder: `NAME@HOST`, hosts with commas between; repeatable")
	flags.StringArrayVar(&f.cleartext, "cleartext", nil, "let the secret `NAME` go over plain HTTP too; repeatable")
}

// maxSecretFile is above what any secret has, in bytes.
const maxSecretFile = 64 << 10

// values reads the secrets. reaches says whether a host is allowed at all.
func (f *secretFlags) values(cmd *cobra.Command, reaches bool) ([]eryx.Secret, error) {
	var secrets []eryx.Secret
	for _, setting := range f.secrets {
		setting, file, inFile := strings.Cut(setting, "=")
		name, hosts, ok := strings.Cut(setting, "@")
		if !ok || name == "" || hosts == "" || inFile && file == "" {
			return nil, usageError(cmd, "--secret %s is not of the form NAME@HOST[,HOST] or NAME@HOST[,HOST]=FILE", setting)
		}
		if !reaches {
			return nil, usageError(cmd, "--secret %s is for requests, and no host is allowed: name it with --allow-host", setting)
		}
		secret := eryx.Secret{Name: name, Hosts: strings.Split(hosts, ","), Cleartext: slices.Contains(f.cleartext, name)}
		var err error
		if secret.Value, err = readSecret(name, file); err != nil {
			return nil, err
		}
		secrets = append(secrets, secret)
	}
	for _, name := range f.cleartext {
		if !slices.ContainsFunc(secrets, func(s eryx.Secret) bool { return s.Name == name }) {
			return nil, usageError(cmd, "--cleartext %s: there is no --secret of that name", name)
		}
	}
	return secrets, nil
}

// readSecret reads a value from a file, without the end of its last line, or
// from the environment.
func readSecret(name, file string) (string, error) {
	if file == "" {
		value, ok := os.LookupEnv(name)
		if !ok {
			return "", inputError(fmt.Errorf("the secret %s: there is no environment variable %s", name, name), fmt.Sprintf("set it, or name a file: --secret %s@HOST=FILE", name))
		}
		return value, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return "", inputError(fmt.Errorf("the secret %s: %w", name, err), "")
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	if err == nil && len(data) > maxSecretFile {
		err = errors.New("it is too large for a secret")
	}
	if err != nil {
		return "", inputError(fmt.Errorf("the secret %s: read %s: %w", name, file, err), "")
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r"), nil
}
