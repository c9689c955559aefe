package network

import (
	"strings"
	"testing"
)

func TestHosts(t *testing.T) {
	hosts, err := ParseHosts([]string{"API.example.com.", "*.example.org", "10.0.0.1", "bücher.example"})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"api.example.com": true, "example.com": false, "x.api.example.com": false, "api.example.com.evil.com": false,
		"a.b.example.org": true, "example.org": false, "evilexample.org": false,
		"10.0.0.1": true, "10.0.0.2": false, "xn--bcher-kva.example": true, "": false, ".example.org": false,
	} {
		if got := hosts.Match(name); got != want {
			t.Errorf("Match(%q) = %v", name, got)
		}
	}
	for text, want := range map[string]string{
		"*": "every host", "api.example.com:443": "it has a port", "api.example.com:*": "it has a port",
		"http://x": "host of the URL only", "": "empty", "a*.example.com": "whole labels",
	} {
		if _, err := ParseHosts([]string{text}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseHosts(%q): %v, want %q", text, err, want)
		}
	}
	if _, err := ParseHosts(nil); err == nil {
		t.Error("no hosts are taken for some")
	}
}
