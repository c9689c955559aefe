package network

import (
	"net/netip"
	"strings"
	"testing"
)

func TestHostsAreNormalised(t *testing.T) {
	for text, want := range map[string]string{
		"example.com":           "example.com",
		"EXAMPLE.Com.":          "example.com",
		"my_bucket.example.com": "my_bucket.example.com",
		"r3---sn-x.example.com": "r3---sn-x.example.com",
		"bücher.example":        "xn--bcher-kva.example",
		"BÜCHER.Example.":       "xn--bcher-kva.example",
		"XN--BCHER-KVA.example": "xn--bcher-kva.example",
		"faß.example":           "xn--fa-hia.example",
		"例え。テスト":                "xn--r8jz45g.xn--zckzah",
		"ｅｘａｍｐｌｅ．com":           "example.com",
		"127.0.0.1":             "127.0.0.1",
		"::ffff:127.0.0.1":      "127.0.0.1",
		"2001:DB8:0::1":         "2001:db8::1",
		"1.example":             "1.example",
		"0x1.example":           "0x1.example",
		"1e100.net":             "1e100.net",
	} {
		h, err := parseHost(text)
		if err != nil || h.String() != want {
			t.Errorf("%q is %v, %v, want %s", text, h, err, want)
		}
	}
}

func TestWhatIsNoHost(t *testing.T) {
	const number = "it ends in a number, as only addresses do, and is not written as one"
	for text, want := range map[string]string{
		"":                              "it is empty",
		".":                             "it is empty",
		"example..com":                  "it has an empty label",
		".example.com":                  "it has an empty label",
		"example.com..":                 "it has an empty label",
		"-a.example":                    "it has a label that begins or ends with a hyphen",
		"a-.example":                    "it has a label that begins or ends with a hyphen",
		"a b.example":                   "it has the character ' '",
		"a\x00.example":                 "it has the character '\\x00'",
		"example.com\n":                 "it has the character '\\n'",
		"user@example.com":              "it has the character '@'",
		"[::1]":                         "it is neither a name nor an address",
		"example.com:80":                "it is neither a name nor an address",
		"fe80::1%eth0":                  "an address with a zone is of one machine's interface",
		strings.Repeat("a", 64):         "it has a label of 64 bytes, and no label has more than 63",
		strings.Repeat("a.", 127) + "a": "it has 255 bytes, and no name has more than 253",
		strings.Repeat("a", 1013):       "it has 1013 bytes, and no name has more than 253",
		"xn--a.example":                 "its label xn--a encodes no label",
		"xn--example-.example":          "it has a label that begins or ends with a hyphen",
		"xn--a-0000000.example":         "its label xn--a-0000000 encodes no label",
		"xn--fass-.example":             "it has a label that begins or ends with a hyphen",
		"xn--BCHER-kva9.example":        "its label xn--bcher-kva9 encodes no label",
		"exa\u202emple.com":             "it is no internationalised name: disallowed rune U+202E",

		// Whatever some resolver or libc might take for an address.
		"127.1":           number,
		"0177.0.0.1":      number,
		"2130706433":      number,
		"0x7f.1":          number,
		"0x7f000001":      number,
		"0X7F.0.0.1":      number,
		"127.0.0.0x1":     number,
		"0x":              number,
		"127.0.0.01":      number,
		"127.0.0.1.":      number,
		"256.256.256.256": number,
		"1.2.3.4.5":       number,
		"example.1":       number,
		"１２７.0.0.1":       number,
		"①②⑦.0.0.1":       number,
	} {
		h, err := parseHost(text)
		if err == nil || err.Error() != want {
			t.Errorf("%q is %v, %v, want the error %q", text, h, err, want)
		}
	}
}

// FuzzHost holds names to what everything else relies on.
func FuzzHost(f *testing.F) {
	for _, text := range []string{"example.com.", "BÜCHER.example", "xn--bcher-kva.example", "127.0.0.1", "::ffff:1.2.3.4", "0x7f.1", "例え。テスト", "a.xn--a"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		h, err := parseHost(text)
		if err != nil {
			if h.name != "" || h.addr.IsValid() {
				t.Fatalf("%q is %v beside the error %v", text, h, err)
			}
			return
		}
		if (h.name == "") != h.addr.IsValid() {
			t.Fatalf("%q is both a name and an address, or neither: %+v", text, h)
		}
		if h.addr.IsValid() {
			if h.addr.Is4In6() || h.addr.Zone() != "" {
				t.Fatalf("%q is the address %v", text, h.addr)
			}
			return
		}
		if again, err := parseHost(h.name); err != nil || again != h {
			t.Fatalf("%q is %q, which is %v, %v", text, h.name, again, err)
		}
		if len(h.name) > maxName || strings.ToLower(h.name) != h.name || strings.HasSuffix(h.name, ".") || !isASCII(h.name) {
			t.Fatalf("%q is %q, which is not normal", text, h.name)
		}
		if _, err := netip.ParseAddr(h.name); err == nil {
			t.Fatalf("%q is the name %q, which is an address", text, h.name)
		}
	})
}
