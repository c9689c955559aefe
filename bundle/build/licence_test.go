package build

import (
	"testing"

	"github.com/eryx-build/eryx/wheels"
)

func TestLicence(t *testing.T) {
	const osi = "License :: OSI Approved :: "
	for name, test := range map[string]struct {
		metadata wheels.Metadata
		want     string
	}{
		"expression":     {wheels.Metadata{LicenseExpression: "MIT OR Apache-2.0", License: "ISC"}, "MIT OR Apache-2.0"},
		"field":          {wheels.Metadata{License: "BSD-3-Clause"}, "BSD-3-Clause"},
		"vague field":    {wheels.Metadata{License: "BSD"}, noAssertion},
		"text":           {wheels.Metadata{License: "Copyright (c) somebody. Permission is hereby granted …"}, noAssertion},
		"classifier":     {wheels.Metadata{License: "MIT license", Classifiers: []string{"Topic :: Text", osi + "MIT License"}}, "MIT"},
		"vague one":      {wheels.Metadata{Classifiers: []string{osi + "BSD License"}}, noAssertion},
		"one of several": {wheels.Metadata{Classifiers: []string{osi + "MIT License", osi + "BSD License"}}, noAssertion},
		"several":        {wheels.Metadata{Classifiers: []string{osi + "MIT License", osi + "ISC License (ISCL)"}}, noAssertion},
		"nothing":        {wheels.Metadata{}, noAssertion},
	} {
		if got := licence(&test.metadata); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
