package archtest

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestEveryPackageHasARoom makes a new package a decision.
func TestEveryPackageHasARoom(t *testing.T) {
	packages := loadPackages(t)
	for _, p := range sorted(packages) {
		if _, ok := rooms[p.dir]; !ok {
			t.Errorf("package %s has no place in the architecture: add it to rooms in internal/archtest/table_test.go, with what it may import and whether it is pure, and to ARCHITECTURE.md", p.dir)
		}
		if !p.documented && len(p.imports) > 0 {
			t.Errorf("package %s has no package comment: say in its main file what idea it stands for", p.dir)
		}
	}
}

// TestImportsFollowTheTable checks every import of every file, tests included.
func TestImportsFollowTheTable(t *testing.T) {
	for _, p := range sorted(loadPackages(t)) {
		place, ok := rooms[p.dir]
		if !ok {
			continue // reported by TestEveryPackageHasARoom
		}
		for _, imported := range p.imports {
			if imported == "C" {
				t.Errorf("%s uses cgo: eryx builds with CGO_ENABLED=0; write it in Go", p.dir)
				continue
			}
			dir, isLocal := local(imported)
			switch {
			case isLocal && !slices.Contains(place.imports, dir):
				t.Errorf("%s imports %s, which the table does not allow: move the code to where data already flows that way, or, if the direction is right, add it to the room's imports in internal/archtest/table_test.go", p.dir, dir)
			case !isLocal && !isStandard(imported) && !oneOf(imported, place.externals):
				t.Errorf("%s imports %s, which is not among the modules that it may use: do without, or add the module to the room's externals in internal/archtest/table_test.go and say why in RATIONALE.md", p.dir, imported)
			}
		}
		for _, imported := range p.testImports {
			if _, isLocal := local(imported); isLocal || isStandard(imported) {
				continue
			}
			allowed := slices.Concat(testModules, place.externals, place.tests)
			if slices.Contains(engineTesters, p.dir) {
				allowed = append(allowed, wazeroModule)
			}
			if !oneOf(imported, allowed) {
				t.Errorf("tests of %s import %s: tests use the standard library, go-cmp and testscript only", p.dir, imported)
			}
		}
	}
}

// TestTableNamesRealPackages keeps the table from describing a house that has
// been torn down.
func TestTableNamesRealPackages(t *testing.T) {
	for name, place := range rooms {
		for _, dir := range place.imports {
			if _, ok := rooms[dir]; !ok {
				t.Errorf("room %s may import %s, which is no room itself: correct the name in internal/archtest/table_test.go", name, dir)
			}
			if place.pure && !rooms[dir].pure && dir != "internal/engine" {
				t.Errorf("room %s is pure but may import %s, which is not: one of the two entries in internal/archtest/table_test.go is wrong", name, dir)
			}
		}
	}
	visited := map[string]int{} // 1: on the current path, 2: done
	var visit func(name string, trail []string)
	visit = func(name string, trail []string) {
		trail = append(trail, name)
		switch visited[name] {
		case 1:
			t.Errorf("the table allows a cycle: %s; data flows in one direction", strings.Join(trail, " -> "))
			return
		case 2:
			return
		}
		visited[name] = 1
		for _, dir := range rooms[name].imports {
			visit(dir, trail)
		}
		visited[name] = 2
	}
	for _, name := range slices.Sorted(maps.Keys(rooms)) {
		visit(name, nil)
	}
}

// TestOnlyTheEngineImportsWazero keeps a second engine possible.
func TestOnlyTheEngineImportsWazero(t *testing.T) {
	for _, p := range sorted(loadPackages(t)) {
		if i := slices.IndexFunc(p.imports, func(s string) bool { return within(s, wazeroModule) }); i >= 0 && !slices.Contains(engineUsers, p.dir) {
			t.Errorf("%s imports %s: only %s may; go through internal/engine", p.dir, p.imports[i], strings.Join(engineUsers, ", "))
		}
		if i := slices.IndexFunc(p.testImports, func(s string) bool { return within(s, wazeroModule) }); i >= 0 && !slices.Contains(engineTesters, p.dir) {
			t.Errorf("tests of %s import %s: only those of %s may; go through internal/engine/wazero", p.dir, p.testImports[i], strings.Join(engineTesters, ", "))
		}
	}
}

// TestPurePackages follows the imports of pure packages to the end.
func TestPurePackages(t *testing.T) {
	packages := loadPackages(t)
	for _, p := range sorted(packages) {
		if !rooms[p.dir].pure {
			continue
		}
		for imported, trail := range reach(packages, p.dir) {
			impure := isStandard(imported) && oneOf(imported, impurePackages) || within(imported, wazeroModule)
			if impure && !allowedEngineContract(trail) {
				t.Errorf("%s is pure (bytes in, bytes out) but reaches %s by %s: pass bytes, an io.Reader or a function instead", p.dir, imported, trail)
			}
		}
	}
}

// allowedEngineContract excuses internal/engine, whose Image names the
// *os.File that a memory image may be mapped from; it opens none.
func allowedEngineContract(trail string) bool {
	return strings.Contains(trail, "internal/engine -> os")
}

// TestHostNeedsNoEngine keeps host functions usable by every engine.
func TestHostNeedsNoEngine(t *testing.T) {
	packages := loadPackages(t)
	for _, dir := range engineFree {
		if packages[dir] == nil {
			continue
		}
		for imported, trail := range reach(packages, dir) {
			if d, ok := local(imported); within(imported, wazeroModule) || ok && strings.HasPrefix(d, "internal/engine/") {
				t.Errorf("%s reaches an engine by %s: write it against internal/engine", dir, trail)
			}
		}
	}
}

// TestRuntimeIsSmall keeps the builder out of programs that run bundles.
func TestRuntimeIsSmall(t *testing.T) {
	for imported, trail := range reach(loadPackages(t), ".") {
		name := imported
		if dir, ok := local(imported); ok {
			name = dir
		}
		if slices.Contains(builderOnly, name) || !isStandard(imported) && oneOf(imported, builderOnly) {
			t.Errorf("package eryx reaches %s by %s: a program that only runs bundles must not link the builder", name, trail)
		}
	}
}

// TestTestsDoNotSkip: a test that is skipped is not known to pass.
func TestTestsDoNotSkip(t *testing.T) {
	for _, p := range sorted(loadPackages(t)) {
		for _, position := range p.skips {
			t.Errorf("%s skips a test: make what it needs available, or keep it off a platform with a build constraint", position)
		}
	}
}

// reach returns everything that a package imports, directly or through other
// packages of this module, each with one trail that leads there.
func reach(packages map[string]*goPackage, start string) map[string]string {
	found := map[string]string{}
	var follow func(dir, trail string)
	follow = func(dir, trail string) {
		p := packages[dir]
		if p == nil {
			return
		}
		for _, imported := range p.imports {
			if _, ok := found[imported]; ok {
				continue
			}
			next, isLocal := local(imported)
			if !isLocal {
				found[imported] = trail + " -> " + imported
				continue
			}
			found[imported] = trail + " -> " + next
			follow(next, found[imported])
		}
	}
	follow(start, start)
	return found
}
