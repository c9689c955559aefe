package bundle

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/eryx-build/eryx/internal/version"
)

// The parts of a CycloneDX 1.6 document that a bundle's has.
type (
	sbomDocument struct {
		Format       string          `json:"bomFormat"`
		Spec         string          `json:"specVersion"`
		Serial       string          `json:"serialNumber"`
		Version      int             `json:"version"`
		Metadata     sbomMetadata    `json:"metadata"`
		Components   []sbomComponent `json:"components"`
		Dependencies []sbomDepends   `json:"dependencies"`
	}
	sbomMetadata struct {
		Tools     sbomTools     `json:"tools"`
		Component sbomComponent `json:"component"`
	}
	sbomTools struct {
		Components []sbomComponent `json:"components"`
	}
	sbomComponent struct {
		Type     string        `json:"type"`
		Ref      string        `json:"bom-ref,omitempty"`
		Name     string        `json:"name"`
		Version  string        `json:"version,omitempty"`
		Hashes   []sbomHash    `json:"hashes,omitempty"`
		Licences []sbomLicence `json:"licenses,omitempty"`
		PURL     string        `json:"purl,omitempty"`
		Evidence *sbomEvidence `json:"evidence,omitempty"`
	}
	sbomEvidence struct {
		Occurrences []sbomOccurrence `json:"occurrences"`
	}
	sbomOccurrence struct {
		Location string `json:"location"`
	}
	sbomHash struct {
		Algorithm string `json:"alg"`
		Content   string `json:"content"`
	}
	sbomLicence struct {
		Expression string `json:"expression"`
	}
	sbomDepends struct {
		Ref       string   `json:"ref"`
		DependsOn []string `json:"dependsOn,omitempty"`
	}
)

// sbom lists what a bundle was made from. It has no date and its serial number
// follows from its content, so that the same sources give the same bytes.
func sbom(m *Manifest) []byte {
	root := sbomComponent{Type: "application", Ref: "bundle", Name: "eryx-bundle", Version: version.Version}
	d := sbomDocument{
		Format: "CycloneDX", Spec: "1.6", Version: 1,
		Metadata: sbomMetadata{
			Tools:     sbomTools{[]sbomComponent{{Type: "application", Name: "eryx-build", Version: version.Version}}},
			Component: root,
		},
		Components: []sbomComponent{},
	}
	depends := sbomDepends{Ref: root.Ref}
	refs := map[string]bool{root.Ref: true}
	hashed := map[string]bool{}
	for _, s := range m.Sources {
		c := sbomComponent{Type: "library", Name: s.Name, Version: s.Version, PURL: s.PURL}
		c.Ref = strings.TrimSuffix(s.Name+"@"+s.Version, "@")
		for refs[c.Ref] {
			c.Ref += "+"
		}
		refs[c.Ref] = true
		// Of several that came in one file, the first is the one that it is
		// named after; its digest is not that of the others.
		if validDigest(s.SHA256) && !hashed[s.SHA256] {
			hashed[s.SHA256] = true
			c.Hashes = []sbomHash{{"SHA-256", s.SHA256}}
		}
		if s.Licence != "" {
			c.Licences = []sbomLicence{{s.Licence}}
		}
		if s.File != "" {
			c.Evidence = &sbomEvidence{[]sbomOccurrence{{s.File}}}
		}
		d.Components = append(d.Components, c)
		depends.DependsOn = append(depends.DependsOn, c.Ref)
	}
	d.Dependencies = []sbomDepends{depends}
	sum := digest(marshal(d))
	// A version 8 UUID (RFC 9562, section 5.8): its content is ours to define.
	d.Serial = fmt.Sprintf("urn:uuid:%s-%s-8%s-a%s-%s", sum[:8], sum[8:12], sum[13:16], sum[17:20], sum[20:32])
	return marshal(d)
}

func marshal(d sbomDocument) []byte {
	var out strings.Builder
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(d); err != nil {
		panic(err) // strings and numbers only
	}
	return []byte(out.String())
}
