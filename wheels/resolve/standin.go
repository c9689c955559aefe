package resolve

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/eryx-build/eryx/wheels"
)

// standIn makes a wheel with nothing but the metadata of a distribution that is
// there anyway, so that clients know of it. It never gets into a result.
func standIn(p Provided) (file string, data []byte, err error) {
	version := p.Version
	if version == "" {
		version = "0"
	}
	parsed, err := wheels.ParseVersion(version)
	if err != nil || !wheels.ValidName(p.Name) {
		return "", nil, inputError(p.File, "has the name %q and the version %q, which are none", p.Name, p.Version)
	}
	stem := strings.ReplaceAll(wheels.NormalizeName(p.Name), "-", "_") + "-" + parsed.String()
	info := stem + ".dist-info/"
	var metadata strings.Builder
	fmt.Fprintf(&metadata, "Metadata-Version: 2.1\nName: %s\nVersion: %s\n", p.Name, parsed)
	for _, requires := range p.RequiresDist {
		// uv would look for what other platforms need.
		if parsed, err := wheels.ParseRequirement(requires); err == nil && !strings.Contains(requires, "extra") {
			if applies, err := parsed.Applies(); err == nil && !applies {
				continue
			}
		}
		fmt.Fprintf(&metadata, "Requires-Dist: %s\n", strings.ReplaceAll(requires, "\n", " "))
	}
	files := [][2]string{
		{info + "METADATA", metadata.String()},
		{info + "WHEEL", "Wheel-Version: 1.0\nGenerator: eryx-build\nRoot-Is-Purelib: true\nTag: py3-none-any\n"},
	}
	var record strings.Builder
	for _, f := range files {
		sum := sha256.Sum256([]byte(f[1]))
		fmt.Fprintf(&record, "%s,sha256=%s,%d\n", f[0], base64.RawURLEncoding.EncodeToString(sum[:]), len(f[1]))
	}
	files = append(files, [2]string{info + "RECORD", record.String() + info + "RECORD,,\n"})
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range files {
		member, err := w.Create(f[0])
		if err == nil {
			_, err = member.Write([]byte(f[1]))
		}
		if err != nil {
			return "", nil, err
		}
	}
	if err := w.Close(); err != nil {
		return "", nil, err
	}
	return stem + "-py3-none-any.whl", out.Bytes(), nil
}
