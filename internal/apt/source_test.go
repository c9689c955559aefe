package apt

import (
	"strings"
	"testing"
)

func TestDeriveSource(t *testing.T) {
	const stanzas = "# comment\nTypes: deb deb-src\nURIs: mirror://security\nSuites: stable-security\nComponents: main\n\n" +
		"Types: deb\nURIs: mirror://one mirror://two\nSuites: stable stable-updates\nComponents: main contrib\nSigned-By: /a/key.gpg\n"
	for _, test := range []struct {
		name    string
		sources []source
		want    string
	}{
		{"deb822", []source{{stanzas, ".sources"}}, "Types: deb\nURIs: mirror://one mirror://two\nSuites: next\nComponents: main\nSigned-By: /a/key.gpg\n"},
		{"lines", []source{{"deb-src m://a stable main\n# deb m://x stable main\ndeb [arch=amd64 signed-by=/k] m://a stable main contrib # c\n", ".list"}}, "deb [arch=amd64 signed-by=/k] m://a next main\n"},
		{"other archives", []source{{"deb m://a other main\n", ".list"}, {"Types: deb\nURIs: m://b\nSuites: other\n", ".sources"}}, ""},
		{"disabled", []source{{"Enabled: no\n" + stanzas[strings.LastIndex(stanzas, "Types"):], ".sources"}}, ""},
		{"none", nil, ""},
	} {
		got, ok := deriveSource(test.sources, "stable", "next")
		if ok != (test.want != "") || strings.TrimSpace(got.text) != strings.TrimSpace(test.want) {
			t.Errorf("%s: %q, %v; want %q", test.name, got.text, ok, test.want)
		}
	}
	if _, ok := deriveSource([]source{{stanzas, ".sources"}}, "", "next"); ok {
		t.Error("a machine without a codename has a source")
	}
}
