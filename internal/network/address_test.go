package network

import (
	"net/netip"
	"testing"
)

func TestAddressesAreClassified(t *testing.T) {
	for text, want := range map[string]string{
		"8.8.8.8":                       "",
		"93.184.216.34":                 "",
		"2606:2800:220:1::1":            "",
		"2001:4860:4860::8888":          "",
		"172.15.255.255":                "",
		"172.32.0.0":                    "",
		"100.63.255.255":                "",
		"100.128.0.0":                   "",
		"223.255.255.255":               "",
		"64:ff9b::8.8.8.8":              "",
		"2002:808:808::1":               "",
		"0.0.0.0":                       "unspecified",
		"0.1.2.3":                       "of this network",
		"127.0.0.1":                     "loopback",
		"127.255.255.255":               "loopback",
		"10.0.0.1":                      "private",
		"172.16.0.1":                    "private",
		"172.31.255.255":                "private",
		"192.168.1.1":                   "private",
		"100.64.0.1":                    "shared by a carrier's customers",
		"169.254.1.1":                   "link-local",
		"169.254.169.254":               "a cloud's metadata service",
		"169.254.170.2":                 "a cloud's metadata service",
		"168.63.129.16":                 "a cloud's metadata service",
		"100.100.100.200":               "a cloud's metadata service",
		"192.0.0.192":                   "a cloud's metadata service",
		"fd00:ec2::254":                 "a cloud's metadata service",
		"fd20:ce::254":                  "a cloud's metadata service",
		"192.0.0.8":                     "of IETF protocols",
		"192.0.2.1":                     "for documentation",
		"198.51.100.1":                  "for documentation",
		"203.0.113.1":                   "for documentation",
		"2001:db8::1":                   "for documentation",
		"3fff::1":                       "for documentation",
		"192.88.99.1":                   "a 6to4 relay",
		"198.18.0.1":                    "for benchmarks",
		"198.19.255.255":                "for benchmarks",
		"224.0.0.1":                     "multicast",
		"ff02::1":                       "multicast",
		"240.0.0.1":                     "reserved",
		"255.255.255.255":               "broadcast",
		"::":                            "unspecified",
		"::1":                           "loopback",
		"fc00::1":                       "private",
		"fdff::1":                       "private",
		"fe80::1":                       "link-local",
		"fec0::1":                       "site-local",
		"100::1":                        "reserved",
		"4000::1":                       "reserved",
		"5f00::1":                       "reserved",
		"64:ff9b:1::8.8.8.8":            "reserved",
		"::8.8.8.8":                     "reserved",
		"::7f00:1":                      "loopback (127.0.0.1 inside it)",
		"::ffff:0:127.0.0.1":            "loopback (127.0.0.1 inside it)",
		"::ffff:0:8.8.8.8":              "reserved",
		"64:ff9b::127.0.0.1":            "loopback (127.0.0.1 inside it)",
		"64:ff9b::169.254.169.254":      "a cloud's metadata service (169.254.169.254 inside it)",
		"64:ff9b::10.0.0.1":             "private (10.0.0.1 inside it)",
		"2002:7f00:1::":                 "loopback (127.0.0.1 inside it)",
		"2002:c0a8:101::1":              "private (192.168.1.1 inside it)",
		"2001:0:4136:e378:8000::1":      "of IETF protocols", // Teredo
		"2606:2800::5efe:a00:1":         "private (10.0.0.1 inside it)",
		"2606:2800::200:5efe:7f00:1":    "loopback (127.0.0.1 inside it)",
		"2606:2800::5efe:808:808":       "",
		"2001:20::1":                    "of IETF protocols",
		"2001:1ff:ffff:ffff:ffff::ffff": "of IETF protocols",
	} {
		if got := classify(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s is %q, want %q", text, got, want)
		}
	}
}
