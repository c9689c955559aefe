package wheels_test

import (
	"fmt"
	"log"

	"github.com/eryx-build/eryx/wheels"
)

func ExampleParseRequirement() {
	r, err := wheels.ParseRequirement(`Requests[socks] >= 2.8.1, == 2.8.* ; sys_platform != "win32"`)
	if err != nil {
		log.Fatal(err)
	}
	applies, err := r.Applies()
	if err != nil {
		log.Fatal(err)
	}
	version, err := wheels.ParseVersion("2.8.5.post1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(wheels.NormalizeName(r.Name), r.Extras, applies, r.Specifiers.Match(version))
	// Output: requests [socks] true true
}

func ExampleFilename_Rank() {
	for _, file := range []string{
		"markupsafe-3.0.4-cp314-cp314-wasi_wasm32.whl",
		"markupsafe-3.0.4-py3-none-any.whl",
		"markupsafe-3.0.4-cp314-cp314-manylinux_2_28_x86_64.whl",
	} {
		name, err := wheels.ParseFilename(file)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(name.Tags[0], name.Rank() >= 0)
	}
	// Output:
	// cp314-cp314-wasi_wasm32 true
	// py3-none-any true
	// cp314-cp314-manylinux_2_28_x86_64 false
}

func ExampleMarker_Eval() {
	m, err := wheels.ParseMarker(`python_version >= "3.9" and extra == "test"`)
	if err != nil {
		log.Fatal(err)
	}
	for _, extra := range []string{"", "test"} {
		holds, err := m.Eval(wheels.TargetEnvironment(), extra)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%q %v\n", extra, holds)
	}
	// Output:
	// "" false
	// "test" true
}
