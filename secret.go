package eryx

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/eryx-build/eryx/internal/calls"
	"github.com/eryx-build/eryx/internal/network"
	"github.com/eryx-build/eryx/internal/secret"
)

// Secret is a value, such as an API's key, that a script uses and does not see.
//
// In the script's environment is a placeholder, of letters, digits, "-" and "_"
// only. In HTTP/1.1 requests to the secret's hosts it is replaced by the value:
// in the path and query, in header fields, also within basic authorization, and
// in bodies. The connection has to be by TLS, to a server whose certificate the
// host has verified for the same name as that of the request. Everywhere else
// the placeholder stays what it is.
//
// In responses, and in all that leaves the sandbox, the value is masked by as
// many asterisks, also where it is written in JSON, percent-encoded, in base64
// or in hexadecimal; in what leaves the sandbox the placeholder is, too. This is
// for servers that repeat what they were sent, and for scripts that print what
// they hold. It is no defence against a server that wants to give the value
// away in a form of its own: bind secrets to hosts that may know them.
type Secret struct {
	// Name is that of the environment variable: letters, digits and "_".
	Name string
	// Value has 8 to 4096 bytes of UTF-8, without control characters. What is
	// shorter occurs by chance, and masking it would destroy the output.
	Value string `json:"-"`
	// Hosts are the hosts that may have the value, in the patterns of
	// [Network.Hosts] without ports; "*" is not one. The network's own policy
	// has to allow them as well.
	Hosts []string
	// Cleartext lets the value go over plain HTTP too, where anybody on the way
	// can read it, and whoever answers for the host's address gets it.
	Cleartext bool
}

// String says what the secret is for, and not what it is.
func (s Secret) String() string { return fmt.Sprintf("%s (hidden) for %v", s.Name, s.Hosts) }

// GoString is the same as String.
func (s Secret) GoString() string { return s.String() }

// secrets is what a sandbox has of its configuration's secrets. nil is none.
type secrets struct {
	*secret.Set
	placeholders map[string]string // by name
}

// set is nil if there are no secrets.
func (s *secrets) set() *secret.Set {
	if s == nil {
		return nil
	}
	return s.Set
}

// checkSecrets copies the secrets, refuses those that cannot be, and gives them
// their placeholders.
func (c *SandboxConfig) checkSecrets() (err error) {
	c.Secrets = slices.Clone(c.Secrets)
	for i := range c.Secrets {
		each := &c.Secrets[i]
		each.Hosts = slices.Clone(each.Hosts)
		if _, twice := c.Env[each.Name]; twice {
			return fmt.Errorf("eryx: %s is both a secret and in Env", each.Name)
		}
	}
	c.secrets, err = c.newSecrets(nil)
	return err
}

// newSecrets makes the secrets with the placeholders that they have already, and
// new ones for the others.
func (c *SandboxConfig) newSecrets(placeholders map[string]string) (*secrets, error) {
	if len(c.Secrets) == 0 {
		if len(placeholders) == 0 {
			return nil, nil
		}
		return &secrets{nil, placeholders}, nil // for whoever gives the secrets again
	}
	made := &secrets{placeholders: maps.Clone(placeholders)}
	if made.placeholders == nil {
		made.placeholders = map[string]string{}
	}
	var list []secret.Secret
	for _, each := range c.Secrets {
		if err := secret.Check(each.Name, each.Value); err != nil {
			return nil, fmt.Errorf("eryx: %w", err)
		}
		hosts, err := network.ParseHosts(each.Hosts)
		if err != nil {
			return nil, fmt.Errorf("eryx: the secret %s: %w", each.Name, err)
		}
		if made.placeholders[each.Name] == "" {
			made.placeholders[each.Name] = c.newPlaceholder(each.Name)
		}
		list = append(list, secret.Secret{
			Name: each.Name, Value: each.Value, Placeholder: made.placeholders[each.Name],
			Binds: hosts.Match, Cleartext: each.Cleartext,
		})
	}
	set, err := secret.New(list)
	if err != nil {
		return nil, fmt.Errorf("eryx: %w", err)
	}
	made.Set = set
	return made, nil
}

func (c *SandboxConfig) newPlaceholder(name string) string {
	if d := c.Deterministic; d != nil {
		return secret.Placeholder(name, secret.Derive(binary.LittleEndian.AppendUint64(nil, d.Seed), name))
	}
	var entropy [secret.EntropySize]byte
	_, _ = rand.Read(entropy[:]) // which does not fail
	return secret.Placeholder(name, entropy)
}

// secretsAt are the secrets of a guest that goes on where a moment was.
func (c *SandboxConfig) secretsAt(at *moment) (*secrets, error) {
	if at == nil || len(at.placeholders) == 0 {
		return c.secrets, nil
	}
	if c.secrets != nil && maps.Equal(at.placeholders, c.secrets.placeholders) {
		return c.secrets, nil
	}
	return c.newSecrets(at.placeholders)
}

// checkPlaceholders says what is wrong with the placeholders of a snapshot.
func checkPlaceholders(placeholders map[string]string) error {
	for name, text := range placeholders {
		if !secret.IsPlaceholder(text, name) {
			return &SnapshotError{SnapshotDamaged, "its placeholders of secrets are none"}
		}
	}
	return nil
}

// hide masks secrets in an error that is about to leave the sandbox.
func (s *secrets) hide(err error) error {
	set := s.set()
	if set.Empty() {
		return err
	}
	if e, ok := errors.AsType[*PythonError](err); ok { // also within a CallbackError
		e.hide(set)
	}
	if e, ok := errors.AsType[*CrashError](err); ok {
		e.Reason = set.Text(e.Reason)
	}
	if e, ok := errors.AsType[*JournalError](err); ok {
		e.Reason = set.Text(e.Reason)
	}
	if e, ok := errors.AsType[*SuspendedError](err); ok {
		for i := range e.Calls {
			given := &e.Calls[i].Arguments
			masked := maskArguments(set, calls.Arguments{JSON: given.JSON, Binary: given.Bytes})
			given.JSON, given.Bytes = masked.JSON, masked.Binary
		}
	}
	return err
}

func (e *PythonError) hide(set *secret.Set) {
	e.Type, e.Message, e.Traceback = set.Text(e.Type), set.Text(e.Message), set.Text(e.Traceback)
	for i := range e.Frames {
		f := &e.Frames[i]
		f.File, f.Function = set.Text(f.File), set.Text(f.Function)
	}
}

// hide masks secrets in a result.
func (r *Result) hide(set *secret.Set) {
	if set.Empty() {
		return
	}
	r.Value = set.JSON(r.Value)
	if r.ValueError != nil {
		r.ValueError = errors.New(set.Text(r.ValueError.Error()))
	}
}

// maskArguments masks values in what a function of the host's is called with.
// Placeholders stay: they tell, for instance whoever has to approve of the call,
// which secret is meant.
func maskArguments(set *secret.Set, given calls.Arguments) calls.Arguments {
	masked := calls.Arguments{JSON: set.ValuesJSON(given.JSON)}
	if given.Binary != nil {
		masked.Binary = make(map[string][]byte, len(given.Binary))
	}
	for name, content := range given.Binary {
		masked.Binary[name] = set.Values(content)
	}
	return masked
}

// maskFunctions has functions of the host's neither be told nor tell a value.
func maskFunctions(set *secret.Set, functions []calls.Function) []calls.Function {
	masked := slices.Clone(functions)
	for i := range masked {
		run := masked[i].Run
		masked[i].Run = func(ctx context.Context, given calls.Arguments) (calls.Value, error) {
			value, err := run(ctx, maskArguments(set, given))
			value.JSON, value.Binary = set.ValuesJSON(value.JSON), set.Values(value.Binary)
			return value, maskError(set, err)
		}
	}
	return masked
}

// maskedError is an error of the host's as the script may read it.
type maskedError struct {
	text string
	err  error
}

func (e *maskedError) Error() string { return e.text }
func (e *maskedError) Unwrap() error { return e.err }

func maskError(set *secret.Set, err error) error {
	if err == nil {
		return nil
	}
	if argument, ok := errors.AsType[*calls.ArgumentError](err); ok {
		return &calls.ArgumentError{Message: string(set.Values([]byte(argument.Message)))}
	}
	text := err.Error()
	if masked := string(set.Values([]byte(text))); masked != text {
		return &maskedError{masked, err}
	}
	return err
}

// callConfig is the configuration of an execution's calls.
func (i *instance) callConfig() calls.Config {
	config := i.config.callConfig(i.traceCall)
	if set := i.secrets.set(); !set.Empty() {
		config.Functions = maskFunctions(set, config.Functions)
		config.Panicked = func(name string, value any, stack []byte) {
			i.config.logPanic(name, set.Text(fmt.Sprint(value)), stack)
		}
	}
	return config
}

// masks are what journals are masked with: they have neither values nor
// placeholders, so that they fit an execution with others.
func (s *secrets) masks() (plain, inJSON func([]byte) []byte) {
	set := s.set()
	if set.Empty() {
		return nil, nil
	}
	return set.Bytes, set.JSON
}
