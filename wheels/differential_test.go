package wheels

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func texts(n int, one func() string) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = one()
	}
	return list
}

func TestNamesAsPackaging(t *testing.T) {
	d := newDice(1)
	list := append(texts(500, d.name), texts(2000, func() string { return d.mutate(d.name(), "aZ09._-é /") })...)
	askEach(t, "valid-name", list, func(text string, answer json.RawMessage) {
		if got, want := ValidName(text), string(answer) != "null"; got != want {
			t.Errorf("ValidName(%q) = %v", text, got)
		}
	})
	askEach(t, "name", list, func(text string, answer json.RawMessage) {
		if got, want := NormalizeName(text), decode[string](t, answer); got != want {
			t.Errorf("NormalizeName(%q) = %q, want %q", text, got, want)
		}
	})
}

func TestVersionsAsPackaging(t *testing.T) {
	d := newDice(2)
	list := append(texts(3000, d.version), texts(3000, func() string { return d.mutate(d.version(), "019.-_+!vabrcpostdev *sſ\n") })...)
	list = append(list, "", "1..2", " 1.0 ", "1.0-", "1.0+", "1.0+a..b", "1.0.post-1", "1.0-1-1", "1.0a1b2", "V1", "1!", "!1", "1.0-post", "1.0-r")
	type properties struct {
		Str, Public, Base, Local, Canonical string
		Pre, Post                           bool
	}
	askEach(t, "version", list, func(text string, answer json.RawMessage) {
		v, err := ParseVersion(text)
		if (err != nil) != (string(answer) == "null") {
			t.Errorf("ParseVersion(%q): error %v, packaging says %s", text, err, answer)
		}
		if err != nil || string(answer) == "null" {
			return
		}
		got := properties{v.String(), v.Public(), v.Base(), v.Local(), v.Canonical(), v.Prerelease(), v.Postrelease()}
		if diff := cmp.Diff(decode[properties](t, answer), got); diff != "" {
			t.Errorf("%q (-packaging +eryx):\n%s", text, diff)
		}
	})
}

// someVersions are valid ones in which neighbours in the order are frequent.
func someVersions(d dice, n int) []string {
	list := []string{"1", "1.0", "1.0.0", "1.dev0", "1a0", "1a0.dev0", "1a0.post0", "1.post0", "1.post0.dev0", "1+a", "1+1", "1.post1", "1.1", "1.0.1", "2", "2.dev0", "2a1", "0.dev0"}
	for len(list) < n {
		if text := d.version(); !strings.Contains(text, "2026") {
			list = append(list, text)
		}
	}
	return list
}

func TestOrderAsPackaging(t *testing.T) {
	list := someVersions(newDice(3), 400)
	versions := make([]Version, len(list))
	arguments := question{"compare"}
	for i, text := range list {
		var err error
		if versions[i], err = ParseVersion(text); err != nil {
			t.Fatal(err)
		}
		arguments = append(arguments, text)
	}
	rows := decode[[]string](t, ask(t, arguments)[0])
	for i, row := range rows {
		for j, want := range []byte(row) {
			if got := "<=>"[versions[i].Compare(versions[j])+1]; got != want {
				t.Errorf("%s %c %s, packaging says %c", list[i], got, list[j], want)
			}
		}
	}
}

func TestSpecifiersAsPackaging(t *testing.T) {
	d := newDice(4)
	const alphabet = "019.*-_+!va,=<>~ ;)"
	list := append(texts(3000, d.specifiers), texts(4000, func() string { return d.mutate(d.specifiers(), alphabet) })...)
	list = append(list, "", ",", "===", "=== ", "===anything/at-all", "===a,==1", "====1", "==1.0.dev1.*", "~=1", "~=1.0", ">=1.0+local", "==1+local", "<1.*", "=1", "1", ">= 1.0 , <2")
	type properties struct {
		Str string
		Pre bool
	}
	var valid []string
	askEach(t, "specifiers", list, func(text string, answer json.RawMessage) {
		set, err := ParseSpecifiers(text)
		if (err != nil) != (string(answer) == "null") {
			t.Errorf("ParseSpecifiers(%q): error %v, packaging says %s", text, err, answer)
		}
		if err != nil || string(answer) == "null" {
			return
		}
		valid = append(valid, text)
		if diff := cmp.Diff(decode[properties](t, answer), properties{set.String(), set.WantsPrereleases()}); diff != "" {
			t.Errorf("%q (-packaging +eryx):\n%s", text, diff)
		}
	})

	sets := []string{"<1", ">1", "<=1", ">=1", "==1", "!=1", "~=1.0", "==1.*", "!=1.*", "<1.post1", ">1.post1", "<1a1", ">1a1", ">1.dev1", "<1.dev1", "==1+a", "!=1+a", "===1", "===1.0+A"}
	for len(sets) < 500 {
		sets = append(sets, d.specifier())
	}
	sets = slices.DeleteFunc(append(sets, valid[:200]...), func(s string) bool { _, err := ParseSpecifiers(s); return err != nil })
	versions := someVersions(d, 300)
	rows := decode[[]string](t, ask(t, question{"match", sets, versions})[0])
	matches := 0
	for i, row := range rows {
		set, err := ParseSpecifiers(sets[i])
		if err != nil {
			t.Fatal(err)
		}
		for j, want := range []byte(row) {
			v, err := ParseVersion(versions[j])
			if err != nil {
				t.Fatal(err)
			}
			got := set.Match(v)
			if got != (want == '1') {
				t.Errorf("%q matches %q: %v, packaging says %c", sets[i], versions[j], got, want)
			}
			if got {
				matches++
			}
		}
	}
	t.Logf("%d sets, %d versions, %d matches", len(sets), len(versions), matches)
}

func TestRequirementsAsPackaging(t *testing.T) {
	d := newDice(5)
	const alphabet = "ab01.-_[](),;@=<>~!'\" \t#é"
	list := append(texts(4000, d.requirement), texts(8000, func() string { return d.mutate(d.requirement(), alphabet) })...)
	list = append(list, "", " ", "a", "a b", "a[", "a[b", "a[b c]", "a[,]", "a[b,]", "a()", "a(", "a (>=1", "a >=1,", "a >=1,,<2", "a@", "a @ ", "a@u ", "a @ u;x", "a;",
		"-a", "a-", "a_", "a.", "a;os_name", `a;os_name=="x`, `a;"x"in os_name`, `a;(os_name=="x"`, "a>=1;", "a==1.*", "a>=1.*", "a===x y", "a (===x)", "a===1,>=2")
	type properties struct {
		Str, Name, Specifiers, URL, Marker string
		Extras                             []string
	}
	askEach(t, "requirement", list, func(text string, answer json.RawMessage) {
		r, err := ParseRequirement(text)
		if (err != nil) != (string(answer) == "null") {
			t.Errorf("ParseRequirement(%q): error %v, packaging says %s", text, err, answer)
		}
		if err != nil || string(answer) == "null" {
			return
		}
		got := properties{r.String(), NormalizeName(r.Name), r.Specifiers.String(), r.URL, "", append([]string{}, r.Extras...)}
		if r.Marker != nil {
			got.Marker = r.Marker.String()
		}
		if diff := cmp.Diff(decode[properties](t, answer), got); diff != "" {
			t.Errorf("%q (-packaging +eryx):\n%s", text, diff)
		}
	})
}

func TestMarkersAsPackaging(t *testing.T) {
	d := newDice(6)
	var questions []question
	for range 8000 {
		questions = append(questions, question{"evaluate", d.marker(3), TargetEnvironment(), d.extra()})
	}
	for _, m := range []string{`extras == "a"`, `"a" in extras`, `"a" in dependency_groups`, `os_name ~= "1"`, `"x" == "x"`, `python_version ~= "3.1"`, `python_version == "3.14.*"`, `python_version in "3.13 3.14"`} {
		questions = append(questions, question{"evaluate", m, TargetEnvironment(), ""})
	}
	outcomes := map[string]int{}
	for i, answer := range ask(t, questions...) {
		text, extra := questions[i][1].(string), questions[i][3].(string)
		got := `"invalid"`
		if m, err := ParseMarker(text); err == nil {
			value, err := m.Eval(TargetEnvironment(), extra)
			switch {
			case err != nil:
				got = `"undefined"`
			case value:
				got = "true"
			default:
				got = "false"
			}
		}
		outcomes[got]++
		if got != string(answer) {
			t.Errorf("%s with extra %q: %s, packaging says %s", text, extra, got, answer)
		}
	}
	t.Log(outcomes)
}

func TestSupportedTagsAsPackaging(t *testing.T) {
	want := decode[[]string](t, ask(t, question{"tags", platformTags})[0])
	var got []string
	for _, tag := range SupportedTags() {
		got = append(got, tag.String())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-packaging +eryx):\n%s", diff)
	}
}

func TestFilenamesAsPackaging(t *testing.T) {
	d := newDice(7)
	one := func() string {
		return d.one("foo", "Foo_Bar", "foo.bar", "foo__bar", "zope_interface", "é") + "-" + strings.ReplaceAll(d.version(), "-", ".") +
			d.maybe(4, func() string { return "-" + d.one("1", "2abc", "x", "10_3") }) + "-" +
			d.one("py3", "py2.py3", "cp314", "cp314.cp313", "CP314", "py3.", "3") + "-" + d.one("none", "abi3", "cp314", "") + "-" +
			d.one("any", "wasi_wasm32", "manylinux_2_17_x86_64.manylinux2014_x86_64", "any.any") + d.one(".whl", ".whl", ".whl", ".whl", ".zip", "")
	}
	list := append(texts(3000, one), texts(3000, func() string { return d.mutate(one(), "a1-_.+ w") })...)
	type properties struct {
		Name, Version, Build string
		Tags                 []string
	}
	askEach(t, "filename", list, func(text string, answer json.RawMessage) {
		f, err := ParseFilename(text)
		if (err != nil) != (string(answer) == "null") {
			t.Errorf("ParseFilename(%q): error %v, packaging says %s", text, err, answer)
		}
		if err != nil || string(answer) == "null" {
			return
		}
		number := strings.IndexFunc(f.Build+".", func(r rune) bool { return r < '0' || r > '9' })
		got := properties{Name: f.Name, Version: f.Version.String()}
		if f.Build != "" { // packaging makes a number of its digits
			got.Build = makeNumber(f.Build[:number]).String() + f.Build[number:]
		}
		for _, tag := range f.Tags {
			got.Tags = append(got.Tags, tag.String())
		}
		slices.Sort(got.Tags)
		if diff := cmp.Diff(decode[properties](t, answer), got); diff != "" {
			t.Errorf("%q (-packaging +eryx):\n%s", text, diff)
		}
	})
}

func TestMetadataAsPackaging(t *testing.T) {
	list := []string{
		"Metadata-Version: 2.1\nName: a\nVersion: 1\n",
		"Metadata-Version: 2.1\r\nName: a\r\nVersion: 1\r\n\r\nDescription\r\n with lines\r\n",
		"Metadata-Version: 2.4\nname: a\nVERSION:1.0\nSummary:   blanks  \nRequires-Dist: b>=1; extra == 'x'\nRequires-Dist: c\nProvides-Extra: x\nLicense-Expression: MIT\nLicense-File: LICENSE\n\nText: not a field\n",
		"Name: a\nVersion: 1\nLicense: first\n        second\n\tthird\nClassifier: X :: Y\nClassifier: Z\nHome-page: https://example.com/\n\n\nbody after an empty line\n",
		"Name: a\nVersion: 1\nRequires-Python: >=3.8,\n  <4\nUnknown: x\nUnknown: y\n",
		"Name: ä\nVersion: 1\nSummary: ünïcode\n\nBödy\n",
		"Name: a\nVersion: 1\nno colon here\nSummary: x\n",
		"Name: a\nVersion: 1\nSummary:\nLicense:\n\n",
		"Name: a\nVersion: 1\nDescription: in a header\n        |on two lines\n",
		"\nName: a\nVersion: 1\n",
		"Name: a\nVersion: 1",
		"Name: a\nName : b\nVersion: 1\n",
	}
	type raw struct {
		Raw struct {
			MetadataVersion   string   `json:"metadata_version"`
			Name              string   `json:"name"`
			Version           string   `json:"version"`
			Summary           string   `json:"summary"`
			RequiresPython    string   `json:"requires_python"`
			RequiresDist      []string `json:"requires_dist"`
			ProvidesExtra     []string `json:"provides_extra"`
			License           string   `json:"license"`
			LicenseExpression string   `json:"license_expression"`
			LicenseFiles      []string `json:"license_files"`
			Classifiers       []string `json:"classifiers"`
			HomePage          string   `json:"home_page"`
			Description       string   `json:"description"`
		}
		Names []string
	}
	askEach(t, "metadata", list, func(text string, answer json.RawMessage) {
		want := decode[raw](t, answer)
		fields, _ := parseHeaders([]byte(text))
		var names []string
		for _, f := range fields {
			names = append(names, f.Name)
		}
		if !slices.Equal(names, want.Names) {
			t.Errorf("%q: fields %q, Python has %q", text, names, want.Names)
		}
		m, err := ParseMetadata([]byte(text))
		if valid := ValidName(want.Raw.Name) && want.Raw.Version != ""; (err == nil) != valid {
			t.Errorf("%q: error %v, packaging has name %q and version %q", text, err, want.Raw.Name, want.Raw.Version)
		}
		if err != nil {
			return
		}
		got := want
		got.Raw.MetadataVersion, got.Raw.Name, got.Raw.Version, got.Raw.Summary = m.MetadataVersion, m.Name, m.Version, m.Summary
		got.Raw.RequiresPython, got.Raw.RequiresDist, got.Raw.ProvidesExtra = m.RequiresPython, m.RequiresDist, m.ProvidesExtra
		got.Raw.License, got.Raw.LicenseExpression, got.Raw.LicenseFiles = m.License, m.LicenseExpression, m.LicenseFiles
		got.Raw.Classifiers, got.Raw.HomePage, got.Raw.Description = m.Classifiers, m.HomePage, m.Description
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-packaging +eryx):\n%s", text, diff)
		}
	})
}

func TestEntryPointsAsImportlib(t *testing.T) {
	list := []string{
		"", "[console_scripts]\nx = a.b:c\n", "[a]\nx=y\n# comment\n\n[b.c]\n  z =  m : f [ extra ]\n", "outside = a\n[g]\nx = a:b.c\n", "[g]\r\nx = y\r\n",
		"[g]\nname with blanks = m\nx = a = b\n", "[]\nx = y\n",
	}
	type point struct {
		Group, Name, Value string
		Object             []string
	}
	askEach(t, "entry-points", list, func(text string, answer json.RawMessage) {
		want := decode[[]point](t, answer)
		got := []point{}
		for i, e := range ParseEntryPoints([]byte(text)) {
			p := point{Group: e.Group, Name: e.Name, Value: e.Value}
			if i < len(want) && want[i].Object != nil {
				module, attribute := e.Object()
				p.Object = []string{module, attribute}
			}
			got = append(got, p)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-importlib +eryx):\n%s", text, diff)
		}
	})
}
