package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const modulePath = "github.com/eryx-build/eryx"

// goPackage is what the sources of one directory say about it.
type goPackage struct {
	dir         string   // slash-separated, "." for the root
	imports     []string // import paths of non-test files, sorted
	testImports []string // import paths of test files, sorted
	documented  bool     // some file has a package comment
	skips       []string // positions of tests that skip themselves
}

// moduleRoot returns the directory of the module's go.mod.
func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the test's directory")
		}
		dir = parent
	}
}

// walkFiles calls visit for every file that belongs to the project: hidden
// directories but .ci and .github are left out, and so is what make produces.
func walkFiles(t *testing.T, root string, visit func(name string)) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := path.Base(name)
		if base == ".git" && !entry.IsDir() { // of a linked worktree
			return nil
		}
		if entry.IsDir() {
			hidden := strings.HasPrefix(base, ".") && name != "." && base != ".ci" && base != ".github"
			if hidden || name == "bin" || name == "dist" {
				return fs.SkipDir
			}
			return nil
		}
		if entry.Type().IsRegular() {
			visit(name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// loadPackages parses every Go package of this module, whatever its build
// constraints; nested modules and testdata are not part of it.
func loadPackages(t *testing.T) map[string]*goPackage {
	t.Helper()
	root := moduleRoot(t)
	var files []string
	nested := map[string]bool{}
	walkFiles(t, root, func(name string) {
		switch {
		case name != "go.mod" && path.Base(name) == "go.mod":
			nested[path.Dir(name)] = true
		case strings.HasSuffix(name, ".go"):
			files = append(files, name)
		}
	})
	packages := map[string]*goPackage{}
	for _, name := range files {
		if slices.Contains(strings.Split(name, "/"), "testdata") || insideAny(name, nested) {
			continue
		}
		dir := path.Dir(name)
		p := packages[dir]
		if p == nil {
			p = &goPackage{dir: dir}
			packages[dir] = p
		}
		p.add(t, root, name)
	}
	if len(packages) < 5 {
		t.Fatalf("found only %d packages below %s: the walk is broken", len(packages), root)
	}
	return packages
}

func insideAny(name string, dirs map[string]bool) bool {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if dirs[dir] {
			return true
		}
	}
	return false
}

// add reads one file's imports, package comment and skipped tests.
func (p *goPackage) add(t *testing.T, root, name string) {
	t.Helper()
	fset := token.NewFileSet()
	test := strings.HasSuffix(name, "_test.go")
	mode := parser.ImportsOnly | parser.ParseComments
	if test {
		mode = parser.ParseComments
	}
	file, err := parser.ParseFile(fset, filepath.Join(root, filepath.FromSlash(name)), nil, mode)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatalf("%s: import %s: %v", name, spec.Path.Value, err)
		}
		if test {
			p.testImports = insert(p.testImports, imported)
		} else {
			p.imports = insert(p.imports, imported)
		}
	}
	if !test {
		p.documented = p.documented || file.Doc != nil
		return
	}
	ast.Inspect(file, func(node ast.Node) bool {
		call, ok := node.(*ast.SelectorExpr)
		if ok && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, call.Sel.Name) {
			if receiver, ok := call.X.(*ast.Ident); ok && slices.Contains([]string{"t", "b", "tb", "f"}, receiver.Name) {
				p.skips = append(p.skips, name+":"+strconv.Itoa(fset.Position(call.Pos()).Line))
			}
		}
		return true
	})
}

func insert(sorted []string, s string) []string {
	i, found := slices.BinarySearch(sorted, s)
	if found {
		return sorted
	}
	return slices.Insert(sorted, i, s)
}

// local returns the directory of a package of this module, "." for the root.
func local(importPath string) (string, bool) {
	if importPath == modulePath {
		return ".", true
	}
	return strings.CutPrefix(importPath, modulePath+"/")
}

// isStandard reports whether an import path is of the standard library, whose
// first element never has a dot.
func isStandard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}

// within reports whether an import path is the given one or below it.
func within(importPath, parent string) bool {
	return importPath == parent || strings.HasPrefix(importPath, parent+"/")
}

// oneOf reports whether an import path is one of the given or below one.
func oneOf(importPath string, parents []string) bool {
	return slices.ContainsFunc(parents, func(parent string) bool { return within(importPath, parent) })
}

// sorted returns the packages in the order of their directories.
func sorted(packages map[string]*goPackage) []*goPackage {
	var list []*goPackage
	for _, p := range packages {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b *goPackage) int { return strings.Compare(a.dir, b.dir) })
	return list
}
