package bundle

import (
	"encoding/json"
	"regexp"
	"testing"
)

// TestBillOfMaterials checks what CycloneDX 1.6 requires of a document, and
// that it says what the manifest does.
func TestBillOfMaterials(t *testing.T) {
	const shared = "1111111111111111111111111111111111111111111111111111111111111111"
	m := &Manifest{Sources: []Source{
		{Name: "distribution", Version: "1.0", SHA256: "2222222222222222222222222222222222222222222222222222222222222222", Licence: "Apache-2.0 WITH LLVM-exception", PURL: "pkg:generic/distribution@1.0"},
		{Name: "library", Version: "2", File: "lib.so", SHA256: shared, Licence: "MIT"},
		{Name: "part", Version: "2", File: "lib.so", SHA256: shared, Licence: "Zlib"},
		{Name: "part", Version: "2", File: "other.so", Licence: "Zlib"},
		{Name: "unversioned", Licence: "MIT OR Apache-2.0"},
	}}
	text := sbom(m)
	if string(text) != string(sbom(m)) {
		t.Error("the same manifest gave different documents")
	}
	var d struct {
		BOMFormat    string
		SpecVersion  string
		SerialNumber string
		Version      int
		Metadata     struct {
			Component map[string]any
			Tools     struct{ Components []map[string]any }
		}
		Components []struct {
			Type     string
			Ref      string `json:"bom-ref"`
			Name     string
			Version  string
			PURL     string
			Hashes   []struct{ Alg, Content string }
			Licenses []struct{ Expression string }
			Evidence struct{ Occurrences []struct{ Location string } }
		}
		Dependencies []struct {
			Ref       string
			DependsOn []string
		}
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	if d.BOMFormat != "CycloneDX" || d.SpecVersion != "1.6" || d.Version != 1 {
		t.Errorf("it is %s %s, version %d", d.BOMFormat, d.SpecVersion, d.Version)
	}
	if !regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(d.SerialNumber) {
		t.Errorf("the serial number is %s", d.SerialNumber)
	}
	for _, component := range append(d.Metadata.Tools.Components, d.Metadata.Component) {
		if component["type"] == "" || component["name"] == "" {
			t.Errorf("nameless: %v", component)
		}
	}
	if len(d.Components) != len(m.Sources) {
		t.Fatalf("%d components for %d sources", len(d.Components), len(m.Sources))
	}
	refs := map[string]bool{}
	for i, c := range d.Components {
		s := m.Sources[i]
		if c.Type != "library" || c.Name != s.Name || c.Version != s.Version || c.PURL != s.PURL ||
			len(c.Licenses) != 1 || c.Licenses[0].Expression != s.Licence {
			t.Errorf("%+v became %+v", s, c)
		}
		if located := len(c.Evidence.Occurrences) == 1 && c.Evidence.Occurrences[0].Location == s.File; located != (s.File != "") {
			t.Errorf("%+v became %+v", s, c)
		}
		if c.Ref == "" || refs[c.Ref] {
			t.Errorf("reference %q is not unique", c.Ref)
		}
		refs[c.Ref] = true
		wantHash := i < 2 // a part does not have the digest of the whole
		if got := len(c.Hashes) == 1 && c.Hashes[0].Alg == "SHA-256" && c.Hashes[0].Content == s.SHA256; got != wantHash {
			t.Errorf("%s has the digests %v", s.Name, c.Hashes)
		}
	}
	if len(d.Dependencies) != 1 || d.Dependencies[0].Ref != d.Metadata.Component["bom-ref"] || len(d.Dependencies[0].DependsOn) != len(refs) {
		t.Errorf("dependencies are %+v", d.Dependencies)
	}
	for _, dependency := range d.Dependencies {
		for _, ref := range dependency.DependsOn {
			if !refs[ref] {
				t.Errorf("dependency %q is no component", ref)
			}
		}
	}
}
