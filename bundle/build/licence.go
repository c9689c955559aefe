package build

import (
	"regexp"
	"slices"
	"strings"

	"github.com/eryx-build/eryx/wheels"
)

// noAssertion is SPDX for a licence that nobody has stated.
const noAssertion = "NOASSERTION"

// licence is a distribution's SPDX expression, as far as its metadata states
// one: License-Expression, or a classifier or a License field that can only
// mean one licence. What is merely likely is no assertion.
func licence(m *wheels.Metadata) string {
	if m.LicenseExpression != "" {
		return m.LicenseExpression
	}
	if field := strings.TrimSpace(m.License); spdxName.MatchString(field) && slices.Contains(knownLicences, field) {
		return field
	}
	var found []string
	for _, classifier := range m.Classifiers {
		name, ok := strings.CutPrefix(classifier, "License :: OSI Approved :: ")
		if !ok {
			continue
		}
		id, ok := classified[name]
		if !ok {
			return noAssertion // such as "BSD License", of which there are many
		}
		found = append(found, id)
	}
	if len(found) != 1 { // several: all of them, or one of them?
		return noAssertion
	}
	return found[0]
}

var spdxName = regexp.MustCompile(`^[A-Za-z0-9.+-]{2,40}$`)

// knownLicences are SPDX names that packages write into the field License,
// where anything may be.
var knownLicences = []string{
	"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "HPND", "ISC", "LGPL-2.1-only",
	"LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0", "Python-2.0",
	"Unlicense", "Zlib", "ZPL-2.1",
}

// classified are classifiers of exactly one licence.
var classified = map[string]string{
	"Boost Software License 1.0 (BSL-1.0)":               "BSL-1.0",
	"ISC License (ISCL)":                                 "ISC",
	"MIT License":                                        "MIT",
	"MIT No Attribution License (MIT-0)":                 "MIT-0",
	"Mozilla Public License 2.0 (MPL 2.0)":               "MPL-2.0",
	"The Unlicense (Unlicense)":                          "Unlicense",
	"zlib/libpng License":                                "Zlib",
	"Historical Permission Notice and Disclaimer (HPND)": "HPND",
}
