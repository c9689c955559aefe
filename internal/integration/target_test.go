package integration

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx/internal/testbundle"
	"github.com/eryx-build/eryx/wheels"
)

// What packages are chosen for is what the guest says that it is.
func TestTargetIsTheGuest(t *testing.T) {
	const source = `
import _imp, os, platform, sys, sysconfig

version = platform.python_version_tuple()
result = {
    "environment": {
        "implementation_name": sys.implementation.name,
        "implementation_version": ".".join(map(str, sys.implementation.version[:3])),
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "python_version": ".".join(version[:2]),
        "sys_platform": sys.platform,
    },
    "suffixes": _imp.extension_suffixes(),
    "platform": sysconfig.get_platform().replace("-", "_").replace(".", "_"),
    "purelib": sysconfig.get_path("purelib"),
    "platlib": sysconfig.get_path("platlib"),
    "data": sysconfig.get_path("data"),
}
`
	type target struct {
		Environment wheels.Environment
		Suffixes    []string
		Platform    string
		Purelib     string
		Platlib     string
		Data        string
	}
	want := target{
		Environment: wheels.TargetEnvironment(), Suffixes: wheels.ExtensionSuffixes(), Platform: wheels.SupportedTags()[1].Platform,
		Purelib: wheels.SitePackages, Platlib: wheels.SitePackages, Data: wheels.Prefix,
	}
	var got target
	runScript(t, testbundle.Default(t), source, &got)
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("(-guest +wheels):\n%s", diff)
	}
}
