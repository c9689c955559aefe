package bundle

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// TestFormatIsDocumented looks for every field of the manifest, and every
// member that has a name here, in the documentation.
func TestFormatIsDocumented(t *testing.T) {
	data, err := os.ReadFile("../docs/bundle-format.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	documented := documentedFields(text)
	var fields []string
	collectFields(reflect.TypeFor[Manifest](), "", &fields)
	if len(fields) < 30 {
		t.Fatalf("only %d fields: %q", len(fields), fields)
	}
	for _, field := range fields {
		if !documented[field] {
			t.Errorf("docs/bundle-format.md lacks the field %s", field)
		}
	}
	known := map[string]bool{}
	for _, field := range fields {
		known[field] = true
	}
	for field := range documented {
		if !known[field] {
			t.Errorf("docs/bundle-format.md describes %s, which is no field", field)
		}
	}
	for _, member := range []string{
		ManifestMember, MemoryMember, ModuleMember, SkeletonMember, StdlibMember, SupportMember, SitePackagesMember, PrefixMember,
		LockMember, SBOMMember, nativePrefix + "TARGET" + compressed, LicencesPrefix + "NAME.txt",
	} {
		if !strings.Contains(text, "\n| `"+member+"` |") {
			t.Errorf("docs/bundle-format.md lacks the member %s", member)
		}
	}
}

// documentedFields reads the first column of the table of fields, in which
// "a.b, .c" stands for a.b and a.c.
func documentedFields(text string) map[string]bool {
	_, table, _ := strings.Cut(text, "| field | type | meaning |")
	table, _, _ = strings.Cut(table, "\n\n")
	fields := map[string]bool{}
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 2 {
			continue
		}
		parent := ""
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[1], -1) {
			name := m[1]
			if strings.HasPrefix(name, ".") {
				name = parent + name
			}
			if i := strings.LastIndex(name, "."); i >= 0 {
				parent = name[:i]
			}
			fields[name] = true
		}
	}
	return fields
}

// collectFields lists the JSON fields of a type; objects that have fields of
// their own are listed by these, too.
func collectFields(t reflect.Type, prefix string, fields *[]string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		name = prefix + name
		inner := f.Type
		for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
			if inner.Kind() == reflect.Slice && inner.Elem().Kind() == reflect.Struct {
				*fields = append(*fields, name)
				name += "[]"
			}
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct {
			if !strings.HasSuffix(name, "[]") && name != "memory" { // memory is its only field
				*fields = append(*fields, name)
			}
			collectFields(inner, name+".", fields)
			continue
		}
		*fields = append(*fields, name)
	}
}
