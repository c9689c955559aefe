//go:build linux

package main

import (
	"context"
	"crypto/tls"
	_ "embed"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/eryx-build/eryx"
)

// networkScript times requests, and prints seconds by name as JSON.
//
//go:embed network_speed.py
var networkScript string

// peerNetwork runs the script, its first argument, in pyeryx. The second is the
// file of a certificate in DER.
const peerNetwork = `
import sys, eryx
network = eryx.NetConfig.permissive().with_root_cert(open(sys.argv[2], "rb").read())
print(eryx.Sandbox(network=network, resource_limits=eryx.ResourceLimits(execution_timeout_ms=600_000)).execute(sys.argv[1]).stdout_text)
`

// benchNetwork reports what requests over TLS take on loopback, and what a
// connection costs on which nothing moves. The server is this process.
func (r *subject) benchNetwork(ctx context.Context, out io.Writer, native, peerPython string, rounds int) error {
	certificate, der, err := loopbackCertificate()
	if err != nil {
		return err
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		size, err := strconv.Atoi(req.URL.Path[1:])
		if err != nil {
			http.NotFound(w, req)
			return
		}
		w.Header().Set("Content-Length", strconv.Itoa(size))
		_, _ = w.Write(make([]byte, size))
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	server.StartTLS()
	defer server.Close()
	at, err := url.Parse(server.URL)
	if err != nil {
		return err
	}
	script := fmt.Sprintf("PORT = %s\nCA = %q\n%s", at.Port(), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), networkScript)
	config := &eryx.SandboxConfig{Network: &eryx.Network{Hosts: []string{"127.0.0.1:*"}}, Timeout: eryx.Unlimited}
	directory, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(directory) }()
	authority := filepath.Join(directory, "authority.der")
	if err := os.WriteFile(authority, der, 0o600); err != nil {
		return err
	}

	contestants := []string{"eryx", "python3"}
	run := map[string]func() ([]byte, error){
		"eryx": func() ([]byte, error) {
			result, err := r.rt.Execute(ctx, script, config)
			if err != nil {
				return nil, err
			}
			return result.Stdout, nil
		},
		"python3": func() ([]byte, error) { return exec.CommandContext(ctx, native, "-c", script).Output() },
	}
	if peerPython != "" {
		contestants = append(contestants, "pyeryx")
		run["pyeryx"] = func() ([]byte, error) {
			return exec.CommandContext(ctx, peerPython, "-c", peerNetwork, script, authority).Output()
		}
	}
	times := map[string]map[string][]time.Duration{}
	failed := map[string]error{}
	for range rounds {
		for _, name := range contestants {
			if failed[name] != nil {
				continue
			}
			output, err := run[name]()
			if err == nil {
				if times[name] == nil {
					times[name] = map[string][]time.Duration{}
				}
				err = addTimes(times[name], output)
			}
			if err != nil && name != "pyeryx" {
				return fmt.Errorf("%s: %w", name, withStderr(err))
			}
			failed[name] = withStderr(err)
		}
	}
	fmt.Fprintf(out, "\nHTTPS on loopback (%d rounds)\n  %-34s", rounds, "")
	for _, name := range contestants {
		fmt.Fprintf(out, " %12s %12s", name+" min", "median")
	}
	fmt.Fprintln(out)
	for _, job := range []string{"GET of 1 kB, a connection each", "GET of 1 kB, one connection", "GET of 10 MB"} {
		fmt.Fprintf(out, "  %-34s", job)
		for _, name := range contestants {
			all := times[name][job]
			if len(all) == 0 {
				fmt.Fprintf(out, " %12s %12s", "-", "-")
				continue
			}
			slices.Sort(all)
			fmt.Fprintf(out, " %12s %12s", precise(all[0]), precise(median(all)))
		}
		fmt.Fprintln(out)
	}
	for name, err := range failed {
		if err != nil {
			fmt.Fprintf(out, "  %s: %v\n", name, err)
		}
	}
	return r.idleConnection(ctx, out, config, at.Port(), script)
}

// withStderr is the error of a process with the end of what it said.
func withStderr(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) && len(exit.Stderr) > 0 {
		return fmt.Errorf("%w: %s", err, exit.Stderr[max(0, len(exit.Stderr)-300):])
	}
	return err
}

// idleConnection reports the CPU time of this process while a script waits for
// a connection over TLS on which nothing comes.
func (r *subject) idleConnection(ctx context.Context, out io.Writer, config *eryx.SandboxConfig, port, script string) error {
	const idle = 2 * time.Second
	ready := make(chan struct{}, 1)
	own := *config
	own.Stdout = notify(ready)
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := r.rt.Execute(ctx, script[:len(script)-len(networkScript)]+`
import socket, ssl
secure = ssl.create_default_context(cadata=CA)
connection = secure.wrap_socket(socket.create_connection(("127.0.0.1", PORT)), server_hostname="127.0.0.1")
print("ready", flush=True)
connection.recv(1)
`, &own)
		ended <- err
	}()
	select {
	case <-ready:
	case err := <-ended:
		return fmt.Errorf("the idle connection on port %s: %w", port, err)
	}
	time.Sleep(100 * time.Millisecond) // the script goes on to wait
	began := cpuTime()
	time.Sleep(idle)
	fmt.Fprintf(out, "  a connection that waits: %s of CPU in %v\n", precise(cpuTime()-began), idle)
	cancel()
	if err := <-ended; !errors.Is(err, eryx.ErrSandbox) {
		return fmt.Errorf("the idle connection was not cancelled: %w", err)
	}
	return nil
}

// network is benchNetwork beside its peers.
func (b *bench) network(ctx context.Context) error {
	native, err := pythonExecutable(ctx)
	if err != nil {
		return err
	}
	rt, err := b.subject(ctx)
	if err != nil {
		return err
	}
	return rt.benchNetwork(ctx, b.out, native, b.peerPython(), min(b.rounds, 5))
}
