package wheels

import (
	"errors"
	"testing"
)

// fuzzLimits let a fuzzer reach the bounds.
var fuzzLimits = limits{files: 50, file: 1 << 16, total: 1 << 18}

// checkParsed checks what every parser promises.
func checkParsed(t *testing.T, err error) bool {
	t.Helper()
	if parse := (*ParseError)(nil); err != nil && !errors.As(err, &parse) {
		t.Fatalf("error is a %T", err)
	}
	return err == nil
}

// checkTreeIsSound checks that no file of a tree is outside of it.
func checkTreeIsSound(t *testing.T, tree *Tree) {
	t.Helper()
	var total int
	for _, content := range []map[string][]byte{tree.Files, tree.Data} {
		for name, data := range content {
			total += len(data)
			if reason := checkPath(name); reason != "" {
				t.Errorf("%q is in the tree, but %s", name, reason)
			}
		}
		if err := checkTree("", content); err != nil {
			t.Error(err)
		}
	}
	// RECORD is written anew, and may be longer than it was.
	if most := 2 * fuzzLimits.total; int64(total) > most {
		t.Errorf("%d bytes are in the tree, more than %d", total, most)
	}
	for _, n := range tree.Natives {
		if _, ok := tree.Files[n.Path]; !ok {
			t.Errorf("native %s is not in the tree", n.Path)
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add("Inst_All-1.2-py3-none-any.whl", packZip(f, installable, nil))
	f.Add("demo-1.0-py3-none-any.whl", packZip(f, wheelOf("demo", "1.0", files{"demo/_x.abi3.so": string(sharedLibrary), "demo/x.so": string(elf)}), nil))
	f.Add("demo-1.0-py3-none-any.whl", packZip(f, wheelOf("demo", "1.0", files{"../x": "x", "a": "", "a/b": ""}), nil))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		_, _ = ReadMetadata(name, data)
		w, err := open(name, data, fuzzLimits)
		if err != nil {
			return
		}
		checkTreeIsSound(t, w.Tree())
		if _, err := Merge(w.Tree()); err != nil {
			t.Error(err)
		}
	})
}

func FuzzOpenTar(f *testing.F) {
	f.Add(packTar(f, files{"pkg/__init__.py": "", "pkg/_c.abi3.so": string(sharedLibrary), "pkg-1.dist-info/METADATA": "Name: pkg\nVersion: 1\n"}))
	f.Add(packTar(f, files{"../x": "x"}))
	f.Fuzz(func(t *testing.T, data []byte) {
		if tree, err := openTar("x-wasi.tar.gz", data, fuzzLimits); err == nil {
			checkTreeIsSound(t, tree)
		}
	})
}

func FuzzParseVersion(f *testing.F) {
	for _, text := range []string{"1.0", "1!2.0a1.post2.dev3+local.1", "v1-1", "1.0RC1", " 1 "} {
		f.Add(text, "1.0.post1")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		v, err := ParseVersion(a)
		if !checkParsed(t, err) {
			return
		}
		again, err := ParseVersion(v.String())
		if err != nil || again.String() != v.String() || !again.Equal(v) {
			t.Errorf("%q is %s, which is %s: %v", a, v, again, err)
		}
		w, err := ParseVersion(b)
		if !checkParsed(t, err) {
			return
		}
		if v.Compare(w) != -w.Compare(v) || v.Equal(w) != (v.Canonical() == w.Canonical()) {
			t.Errorf("%s and %s: %d, %d", v, w, v.Compare(w), w.Compare(v))
		}
	})
}

func FuzzParseRequirement(f *testing.F) {
	for _, text := range []string{
		"requests[socks,test]>=2.8.1,==2.8.*; python_version < '2.7' and (os_name == \"posix\" or extra == 'x')", "a @ file:///x ; 'a' in os_name",
		"a (>=1,<2)", "a===x", "a~=1.0", "a ; ((((os_name=='x'))))",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ParseRequirement(text)
		if !checkParsed(t, err) {
			return
		}
		again, err := ParseRequirement(r.String())
		if err != nil {
			t.Fatalf("%q is %q, which is none: %v", text, r, err)
		}
		if again.String() != r.String() {
			t.Errorf("%q is %q, which is %q", text, r, again)
		}
		value, err := r.Applies("x")
		repeated, repeatedErr := again.Applies("x")
		if value != repeated || (err == nil) != (repeatedErr == nil) {
			t.Errorf("%q: %v, %v; %v, %v", text, value, err, repeated, repeatedErr)
		}
		r.Specifiers.Match(targetVersion)
	})
}

func FuzzParseFilename(f *testing.F) {
	f.Add("demo-1.0-1-py2.py3-none-any.whl")
	f.Add("demo-1.0-cp314-cp314-wasi_wasm32.whl")
	f.Fuzz(func(t *testing.T, text string) {
		name, err := ParseFilename(text)
		if checkParsed(t, err) && (len(name.Tags) == 0 || len(name.Tags) > maxTags || name.Rank() >= len(SupportedTags())) {
			t.Errorf("%q has %d tags, rank %d", text, len(name.Tags), name.Rank())
		}
	})
}

func FuzzParseMetadata(f *testing.F) {
	f.Add([]byte("Name: a\nVersion: 1\nRequires-Dist: b; extra == 'x'\n more\n\nbody"), []byte("a,sha256=x,1\n\"b,c\",,\n"))
	f.Fuzz(func(t *testing.T, metadata, record []byte) {
		if m, err := ParseMetadata(metadata); checkParsed(t, err) {
			_, _ = m.Requirements("x")
			m.SupportsPython()
		}
		for _, e := range ParseEntryPoints(metadata) {
			e.Object()
		}
		records, err := ParseRecord(record)
		if !checkParsed(t, err) {
			return
		}
		again, err := ParseRecord(formatRecord(records))
		if err != nil || len(again) != len(records) {
			t.Errorf("%d records, then %d: %v", len(records), len(again), err)
		}
	})
}
