package eryx_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/eryx-build/eryx"
)

// TestNetworksThatCannotBe pairs each mistake with what is said of it.
func TestNetworksThatCannotBe(t *testing.T) {
	rt := openShared(t)
	for _, test := range []struct {
		network eryx.Network
		want    string
	}{
		{eryx.Network{Hosts: []string{"https://example.com/"}}, `eryx: network: the host "https://example.com/" cannot be allowed: give the host of the URL only, as in api.example.com or api.example.com:8080`},
		{eryx.Network{Hosts: []string{"10.0.0.0/8"}}, `eryx: network: the host "10.0.0.0/8" cannot be allowed: it has a slash; networks such as 10.0.0.0/8 belong to Networks`},
		{eryx.Network{Hosts: []string{""}}, `eryx: network: the host "" cannot be allowed: it is empty`},
		{eryx.Network{Hosts: []string{"0x7f.1"}}, `eryx: network: the host "0x7f.1" cannot be allowed: it ends in a number, as only addresses do, and is not written as one`},
		{eryx.Network{Hosts: []string{"example.com:0"}}, `eryx: network: the host "example.com:0" cannot be allowed: the port "0" is not a number from 1 to 65535, nor *`},
		{eryx.Network{Ports: []uint16{0}}, `eryx: network: the port 0 cannot be allowed`},
		{eryx.Network{Networks: []netip.Prefix{{}}}, `eryx: network: a network is not valid: make it with netip.ParsePrefix`},
		{eryx.Network{Blocked: []netip.Prefix{netip.MustParsePrefix("10.1.2.3/8")}}, `eryx: network: 10.1.2.3/8 has bits beyond its length: is 10.0.0.0/8 meant, or 10.1.2.3/32?`},
		{eryx.Network{ConnectionLimit: -2}, `eryx: network: a limit of -2 connections is negative`},
		{eryx.Network{ConnectTimeout: -time.Second}, `eryx: network: a timeout of -1s for connecting is negative`},
		{eryx.Network{IdleTimeout: -time.Second}, `eryx: network: a timeout of -1s for idle connections is negative`},
		{eryx.Network{TrafficLimit: -2}, `eryx: network: a limit of -2 bytes of traffic is negative`},
	} {
		_, err := rt.NewSandbox(t.Context(), &eryx.SandboxConfig{Network: &test.network})
		if err == nil || err.Error() != test.want {
			t.Errorf("got %v\nwant %s", err, test.want)
		}
	}
	for _, test := range []struct {
		config eryx.SandboxConfig
		want   string
	}{
		{eryx.SandboxConfig{Deterministic: &eryx.Deterministic{}}, "eryx: a deterministic sandbox has no network, for what comes from it does not repeat"},
		{eryx.SandboxConfig{Journal: &eryx.Journal{}}, "eryx: a sandbox with a journal has no network, for a journal records callbacks only: let the script use the network through one"},
	} {
		test.config.Network = &eryx.Network{}
		_, err := rt.NewSandbox(t.Context(), &test.config)
		if err == nil || err.Error() != test.want {
			t.Errorf("got %v\nwant %s", err, test.want)
		}
	}
}
