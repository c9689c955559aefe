package wheels

import (
	"archive/zip"
	"bytes"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io/fs"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const demoInfo = "demo-1.0.dist-info/"

func TestOpen(t *testing.T) {
	metadata := "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Python: >=3.9\nRequires-Dist: a>=1\nRequires-Dist: b; sys_platform == 'win32'\n" +
		"Requires-Dist: c; sys_platform == 'wasi'\nRequires-Dist: d; extra == 'More'\nProvides-Extra: more\n\nText\n"
	w := mustOpen(t, "some/dir/demo-1.0-py2.py3-none-any.whl", wheelOf("demo", "1.0", files{
		demoInfo + "METADATA":                                     metadata,
		demoInfo + "entry_points.txt":                             "[console_scripts]\ndemo = demo.cli:main\n",
		demoInfo + "licenses/LICENSE":                             "MIT",
		demoInfo + "RECORD.jws":                                   "{}",
		"demo/":                                                   "",
		"demo/__init__.py":                                        "x = 1\n",
		"demo/data/table.csv":                                     "1,2\n",
		"demo/._x":                                                "fork",
		"demo/__pycache__/x.cpython-39.pyc":                       "old",
		"demo/_speed.cpython-314-wasm32-wasi.so":                  string(sharedLibrary),
		"demo-1.0.data/purelib/pure.py":                           "pure\n",
		"demo-1.0.data/platlib/native.abi3.so":                    string(sharedLibrary),
		"demo-1.0.data/scripts/demo":                              "#!python\n",
		"demo-1.0.data/headers/demo.h":                            "int x;\n",
		"demo-1.0.data/data/share/demo/x.txt":                     "shared\n",
		"demo-1.0.data/data/lib/python3.14/site-packages/late.py": "late\n",
	}))
	if w.Name != "demo" || w.Version.String() != "1.0" || w.Tag.String() != "py3-none-any" || w.File != "demo-1.0-py2.py3-none-any.whl" {
		t.Errorf("name %s, version %s, tag %s, file %s", w.Name, w.Version, w.Tag, w.File)
	}
	if diff := cmp.Diff([]EntryPoint{{"console_scripts", "demo", "demo.cli:main"}}, w.EntryPoints); diff != "" {
		t.Error(diff)
	}
	tree := w.Tree()
	wantFiles := []string{
		demoInfo + "INSTALLER", demoInfo + "METADATA", demoInfo + "RECORD", demoInfo + "WHEEL", demoInfo + "entry_points.txt", demoInfo + "licenses/LICENSE",
		"demo/__init__.py", "demo/_speed.cpython-314-wasm32-wasi.so", "demo/data/table.csv", "late.py", "native.abi3.so", "pure.py",
	}
	if diff := cmp.Diff(wantFiles, sortedKeys(tree.Files)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string][]byte{"share/demo/x.txt": []byte("shared\n")}, tree.Data); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
	var natives []string
	for _, n := range tree.Natives {
		natives = append(natives, n.Path+" "+n.Module()+" "+n.Origin)
	}
	wantNatives := []string{"demo/_speed.cpython-314-wasm32-wasi.so demo._speed " + w.File, "native.abi3.so native " + w.File}
	if diff := cmp.Diff(wantNatives, natives); diff != "" {
		t.Errorf("natives (-want +got):\n%s", diff)
	}
	var dropped []string
	for _, d := range tree.Dropped {
		dropped = append(dropped, d.Path+": "+d.Reason)
	}
	wantDropped := []string{
		"demo-1.0.data/headers/demo.h: " + dropHeader, "demo-1.0.data/scripts/demo: " + dropScript, demoInfo + "RECORD.jws: " + dropRecord,
		"demo/._x: " + dropFork, "demo/__pycache__/x.cpython-39.pyc: " + dropBytecode,
	}
	if diff := cmp.Diff(wantDropped, dropped); diff != "" {
		t.Errorf("dropped (-want +got):\n%s", diff)
	}
	for extra, want := range map[string]string{"": "a>=1 c; sys_platform == \"wasi\"", "more": "a>=1 c; sys_platform == \"wasi\" d; extra == \"more\""} {
		requirements, err := w.Metadata.Requirements(extra)
		if err != nil {
			t.Fatal(err)
		}
		var texts []string
		for _, r := range requirements {
			texts = append(texts, r.String())
		}
		if got := strings.Join(texts, " "); got != want {
			t.Errorf("requirements with extra %q: %s, want %s", extra, got, want)
		}
	}
	if diff := cmp.Diff([]string{"demo", "late", "native", "pure"}, tree.TopLevel()); diff != "" {
		t.Error(diff)
	}
	for name, data := range tree.Linked() {
		if native := strings.HasSuffix(name, ".so"); native != (len(data) == 0) {
			t.Errorf("%s has %d bytes beside a module that it is linked into", name, len(data))
		}
	}
}

func TestInstalledRecordIsTrue(t *testing.T) {
	tree := mustOpen(t, "demo-1.0-py3-none-any.whl", wheelOf("demo", "1.0", files{
		"demo.py": "", "demo-1.0.data/data/etc/x": "x", "demo-1.0.data/scripts/s": "s", "odd, name.txt": "y",
	})).Tree()
	records, err := ParseRecord(tree.Files[demoInfo+"RECORD"])
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Record{}
	for _, r := range records {
		got[r.Path] = r
	}
	want := map[string]Record{demoInfo + "RECORD": {Path: demoInfo + "RECORD", Size: -1}}
	for name, data := range tree.Files {
		if name != demoInfo+"RECORD" {
			want[name] = recordOf(name, data)
		}
	}
	want["../../../etc/x"] = recordOf("../../../etc/x", []byte("x"))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// refusal is what is done to a good wheel, and what is said about it.
type refusal struct {
	file    string // "" for demo-1.0-py3-none-any.whl
	content files
	edit    func(*zip.FileHeader)
	damage  func([]byte) []byte
	limits  *limits
	want    error  // of the type that is expected
	says    string // a part of the message
}

func TestRefusedWheels(t *testing.T) {
	demo := func(content files) files { return wheelOf("demo", "1.0", content) }
	without := func(name string) files {
		content := demo(files{"demo.py": "x"})
		delete(content, name)
		return content
	}
	module := func(path string, data []byte) files { return demo(files{path: string(data)}) }
	onlyOn := func(name string, edit func(*zip.FileHeader)) func(*zip.FileHeader) {
		return func(h *zip.FileHeader) {
			if h.Name == name {
				edit(h)
			}
		}
	}
	cases := map[string]refusal{
		"name":                {file: "demo.whl", content: demo(nil), want: &ParseError{}, says: "name-version-interpreter-abi-platform"},
		"linux":               {file: "demo-1.0-cp312-cp312-manylinux_2_17_x86_64.whl", content: demo(nil), want: &IncompatibleError{}, says: "it is for CPython 3.12 on Linux (manylinux_2_17_x86_64); it offers cp312-cp312-manylinux_2_17_x86_64, needed is one of cp314-cp314-wasi_wasm32, cp3x-abi3-wasi_wasm32, py3-none-any: use a wheel for any platform, or build one with `eryx-build wheel demo==1.0`"},
		"pyodide":             {file: "demo-1.0-cp314-cp314-pyodide_2026_0_wasm32.whl", content: demo(nil), want: &IncompatibleError{}, says: "Emscripten (Pyodide)"},
		"older CPython":       {file: "demo-1.0-cp313-cp313-wasi_wasm32.whl", content: demo(nil), want: &IncompatibleError{}, says: "it is for CPython 3.13, not for CPython 3.14"},
		"newer stable ABI":    {file: "demo-1.0-cp315-abi3-wasi_wasm32.whl", content: demo(nil), want: &IncompatibleError{}, says: "CPython 3.15 or newer"},
		"free-threaded":       {file: "demo-1.0-cp314-cp314t-wasi_wasm32.whl", content: demo(nil), want: &IncompatibleError{}, says: "free-threaded"},
		"Python 2":            {file: "demo-1.0-py2-none-any.whl", content: demo(nil), want: &IncompatibleError{}, says: "it is for Python 2,"},
		"Requires-Python":     {content: demo(files{demoInfo + "METADATA": "Name: demo\nVersion: 1.0\nRequires-Python: <3.14\n"}), want: &PythonVersionError{}, says: "requires Python <3.14, this is Python 3.14.0"},
		"no zip":              {damage: func([]byte) []byte { return []byte("PK, but no") }, content: demo(nil), want: &FormatError{}, says: "not a wheel"},
		"cut off":             {damage: func(b []byte) []byte { return b[:len(b)/2] }, content: demo(nil), want: &FormatError{}, says: "incomplete"},
		"changed byte":        {damage: damageData, content: demo(files{"demo.py": strings.Repeat("x", 100)}), want: &FormatError{}, says: "damaged"},
		"no dist-info":        {content: files{"demo.py": "x"}, want: &FormatError{}, says: "no .dist-info"},
		"two dist-infos":      {content: demo(files{"other-1.dist-info/METADATA": "Name: other\nVersion: 1\n"}), want: &FormatError{}, says: "more than one .dist-info"},
		"hidden dist-info":    {content: demo(files{"demo-1.0.data/purelib/other-1.dist-info/METADATA": "Name: other\nVersion: 1\n"}), want: &FormatError{}, says: "another distribution"},
		"no METADATA":         {content: without(demoInfo + "METADATA"), want: &FormatError{}, says: "METADATA: it is missing"},
		"no WHEEL":            {content: without(demoInfo + "WHEEL"), want: &FormatError{}, says: "WHEEL: it is missing"},
		"no RECORD":           {content: without(demoInfo + "RECORD"), want: &FormatError{}, says: "RECORD: it is missing"},
		"bad METADATA":        {content: demo(files{demoInfo + "METADATA": "Version: 1.0\n"}), want: &FormatError{}, says: "Name is missing"},
		"other name":          {content: demo(files{demoInfo + "METADATA": "Name: other\nVersion: 1.0\n"}), want: &FormatError{}, says: "a wheel of other"},
		"other version":       {content: demo(files{demoInfo + "METADATA": "Name: demo\nVersion: 1.1\n"}), want: &FormatError{}, says: "version 1.1"},
		"no Wheel-Version":    {content: demo(files{demoInfo + "WHEEL": "Tag: py3-none-any\n"}), want: &FormatError{}, says: "no Wheel-Version"},
		"newer format":        {content: demo(files{demoInfo + "WHEEL": "Wheel-Version: 2.0\n"}), want: &FormatError{}, says: "newer eryx-build"},
		"data scheme":         {content: demo(files{"demo-1.0.data/stdlib/os.py": "x"}), want: &FormatError{}, says: "no stdlib"},
		"data file":           {content: demo(files{"demo-1.0.data/x": "x"}), want: &FormatError{}, says: "no directory of the data scheme"},
		"same place":          {content: demo(files{"demo.py": "x", "demo-1.0.data/platlib/demo.py": "y"}), want: &PathError{}, says: "the same place"},
		"file and dir":        {content: demo(files{"demo": "x", "demo/x.py": "y"}), want: &PathError{}, says: "file as well as a directory"},
		"file and data dir":   {content: demo(files{"demo": "x", "demo-1.0.data/purelib/demo/x.py": "y"}), want: &PathError{}, says: "file as well as a directory"},
		"twice":               {content: demo(files{"a.py": "x", "b.py": "x"}), edit: onlyOn("b.py", func(h *zip.FileHeader) { h.Name = "a.py" }), want: &PathError{}, says: "there twice"},
		"parent":              {content: demo(files{"../../etc/passwd": "x"}), want: &PathError{}, says: `leads out of the tree by ".."`},
		"inner parent":        {content: demo(files{"demo/../../x": "x"}), want: &PathError{}, says: `".."`},
		"data parent":         {content: demo(files{"demo-1.0.data/data/../../../x": "x"}), want: &PathError{}, says: `".."`},
		"data in Python":      {content: demo(files{"demo-1.0.data/data/lib/python3.14/os.py": "x"}), want: &PathError{}, says: "among the modules of Python"},
		"data as lib":         {content: demo(files{"demo-1.0.data/data/lib": "x"}), want: &PathError{}, says: "among the modules of Python"},
		"data in the runtime": {content: demo(files{"demo-1.0.data/data/lib/eryx/_bz2.py": "x"}), want: &PathError{}, says: "among the modules of Python"},
		"absolute":            {content: demo(files{"/etc/passwd": "x"}), want: &PathError{}, says: "absolute"},
		"backslash":           {content: demo(files{`..\x`: "x"}), want: &PathError{}, says: "backslash"},
		"drive":               {content: demo(files{"C:/x": "x"}), want: &PathError{}, says: "drive"},
		"empty part":          {content: demo(files{"a//b": "x"}), want: &PathError{}, says: "empty part"},
		"dot":                 {content: demo(files{"./a": "x"}), want: &PathError{}, says: `"."`},
		"control":             {content: demo(files{"a\x00b": "x"}), want: &PathError{}, says: "control character"},
		"not UTF-8":           {content: demo(files{"a\xff": "x"}), want: &PathError{}, says: "UTF-8"},
		"long":                {content: demo(files{strings.Repeat("a", 300): "x"}), want: &PathError{}, says: "too long"},
		"link":                {content: demo(files{"l": "/etc/passwd"}), edit: onlyOn("l", func(h *zip.FileHeader) { h.SetMode(fs.ModeSymlink | 0o777) }), want: &PathError{}, says: "symbolic link"},
		"device":              {content: demo(files{"d": ""}), edit: onlyOn("d", func(h *zip.FileHeader) { h.SetMode(fs.ModeDevice | 0o666) }), want: &PathError{}, says: "not a regular file"},
		"encrypted":           {content: demo(files{"a": "x"}), edit: onlyOn("a", func(h *zip.FileHeader) { h.Flags |= zipEncrypted }), want: &FormatError{}, says: "encrypted"},
		"ELF":                 {content: module("demo/_x.cpython-314-wasm32-wasi.so", elf), want: &NativeError{}, says: "demo/_x.cpython-314-wasm32-wasi.so cannot be loaded: it is a library for Linux or another Unix (ELF, x86-64), needed is a WebAssembly shared library for CPython 3.14"},
		"ELF library":         {content: module("demo.libs/libz.so.1.2", elf), want: &NativeError{}, says: "ELF"},
		"Mach-O":              {content: module("demo/_x.so", []byte("\xcf\xfa\xed\xfe....")), want: &NativeError{}, says: "macOS"},
		"PE":                  {content: module("demo/_x.so", []byte("MZ\x90\x00")), want: &NativeError{}, says: "Windows"},
		"component":           {content: module("demo/_x.so", []byte("\x00asm\x0d\x00\x01\x00")), want: &NativeError{}, says: "component"},
		"plain module":        {content: module("demo/_x.so", []byte("\x00asm\x01\x00\x00\x00\x01\x01\x00")), want: &NativeError{}, says: "without a dylink.0"},
		"empty module":        {content: module("demo/_x.so", []byte("\x00asm\x01\x00\x00\x00")), want: &NativeError{}, says: "without a dylink.0"},
		"script":              {content: module("demo/libx.so", []byte("INPUT(libx.so.1)")), want: &NativeError{}, says: "not WebAssembly"},
		"empty library":       {content: module("demo/_x.so", nil), want: &NativeError{}, says: "not WebAssembly"},
		"other minor":         {content: module("demo/_x.cpython-312-wasm32-wasi.so", sharedLibrary), want: &NativeError{}, says: "an extension for CPython 3.12"},
		"threads":             {content: module("demo/_x.cpython-314t-wasm32-wasi.so", sharedLibrary), want: &NativeError{}, says: "another build of CPython 3.14 (t)"},
		"emscripten":          {content: module("demo/_x.cpython-314-wasm32-emscripten.so", sharedLibrary), want: &NativeError{}, says: "Emscripten"},
		"other platform":      {content: module("demo/_x.cpython-314-x86_64-linux-gnu.so", sharedLibrary), want: &NativeError{}, says: "another platform (x86_64-linux-gnu)"},
		"PyPy":                {content: module("demo/_x.pypy311-pp73.so", sharedLibrary), want: &NativeError{}, says: "another Python"},
		"many files":          {content: demo(files{"a": "", "b": "", "c": ""}), limits: &limits{files: 5, file: 1 << 20, total: 1 << 20}, want: &LimitError{}, says: "more than 5 files"},
		"large file":          {content: demo(files{"a": strings.Repeat("x", 5000)}), limits: &limits{files: 50, file: 4000, total: 1 << 20}, want: &LimitError{}, says: "a: has more than 4000 bytes"},
		"large in all":        {content: demo(files{"a": strings.Repeat("x", 3000), "b": strings.Repeat("x", 3000)}), limits: &limits{files: 50, file: 4000, total: 5000}, want: &LimitError{}, says: "more than 5000 bytes"},
		"bomb":                {content: demo(files{"a": strings.Repeat("\x00", 5_000_000)}), limits: &limits{files: 50, file: 1 << 20, total: 1 << 20}, damage: understate, want: &FormatError{}, says: "damaged"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			data := packZip(t, c.content, c.edit)
			if c.damage != nil {
				data = c.damage(data)
			}
			if c.limits == nil {
				c.limits = &defaultLimits
			}
			if c.file == "" {
				c.file = "demo-1.0-py3-none-any.whl"
			}
			w, err := open(c.file, data, *c.limits)
			checkRefusal(t, w != nil, err, c.want, c.says)
		})
	}
}

// checkRefusal compares an error with one of the same type, and its message.
func checkRefusal(t *testing.T, accepted bool, err, want error, says string) {
	t.Helper()
	if accepted || err == nil {
		t.Fatal("it was accepted")
	}
	target := reflect.New(reflect.TypeOf(want))
	if !errors.As(err, target.Interface()) {
		t.Errorf("error is %T (%v), want %T", err, err, want)
	}
	if !strings.Contains(err.Error(), says) {
		t.Errorf("error is %q, which does not say %q", err, says)
	}
	coder, ok := err.(interface{ Code() string })
	if !ok || !strings.HasPrefix(coder.Code(), "ERYX-W") {
		t.Errorf("error %T has no code", err)
	}
}

// damageData changes the first byte of the content of demo.py.
func damageData(b []byte) []byte {
	b = bytes.Clone(b)
	b[bytes.Index(b, []byte("demo.py"))+len("demo.py")] ^= 0x55
	return b
}

// understate makes all members claim to be small.
func understate(b []byte) []byte {
	b = bytes.Clone(b)
	for at := 0; ; {
		i := bytes.Index(b[at:], []byte("PK\x01\x02"))
		if i < 0 {
			return b
		}
		at += i
		binary.LittleEndian.PutUint32(b[at+24:], 10)
		at += 4
	}
}

func TestRecord(t *testing.T) {
	base := files{"demo.py": "x = 1\n"}
	line := func(r Record) string { return string(formatRecord([]Record{r})) }
	good := recordFor(demoInfo, wheelOf("demo", "1.0", files{"demo.py": "x = 1\n", demoInfo + "RECORD": ""}))
	sum512 := sha512.Sum512([]byte("x = 1\n"))
	demoLine := line(recordOf("demo.py", []byte("x = 1\n")))
	cases := map[string]struct {
		record string
		says   string // "" if it is accepted
	}{
		"good":         {good, ""},
		"sha512":       {strings.Replace(good, demoLine, line(Record{"demo.py", "sha512=" + base64.RawURLEncoding.EncodeToString(sum512[:]), 6}), 1), ""},
		"padded":       {strings.Replace(good, ",6", "=,6", 1), ""},
		"no size":      {strings.Replace(good, ",6\n", ",\n", 1), ""},
		"CRLF":         {strings.ReplaceAll(good, "\n", "\r\n"), ""},
		"missing pyc":  {good + "__pycache__/demo.cpython-39.pyc,,\n", ""},
		"no self":      {strings.Replace(good, demoInfo+"RECORD,,\n", "", 1), ""},
		"unlisted":     {strings.Replace(good, demoLine, "", 1), "demo.py: RECORD does not match: it is not listed"},
		"absent":       {good + "gone.py,sha256=AAAA,1\n", "gone.py: RECORD does not match: it is listed, but is not in the wheel"},
		"other size":   {strings.Replace(good, ",6\n", ",7\n", 1), "it has 6 bytes, not 7"},
		"other digest": {strings.Replace(good, demoLine, line(recordOf("demo.py", []byte("x = 2\n"))), 1), "another digest"},
		"no digest":    {strings.Replace(good, demoLine, "demo.py,,6\n", 1), "without a digest"},
		"md5":          {strings.Replace(good, demoLine, "demo.py,md5=AAAA,6\n", 1), "its digest is md5"},
		"twice":        {good + demoLine, "listed twice"},
		"two fields":   {good + "a,b\n", "three fields"},
		"size":         {good + "a,,x\n", "not a number"},
		"negative":     {good + "a,,-1\n", "not a number"},
		"empty":        {"", "it is not listed"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			content := wheelOf("demo", "1.0", files{"demo.py": base["demo.py"], demoInfo + "RECORD": c.record})
			w, err := Open("demo-1.0-py3-none-any.whl", packZip(t, content, nil))
			if c.says == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var want error = &RecordError{}
			if format := (*FormatError)(nil); errors.As(err, &format) {
				want = format
			}
			checkRefusal(t, w != nil, err, want, c.says)
		})
	}
}

func TestReadMetadataOfForeignWheels(t *testing.T) {
	data := packZip(t, wheelOf("demo", "1.0", nil), nil)
	m, err := ReadMetadata("demo-1.0-cp312-cp312-win_amd64.whl", data)
	if err != nil {
		t.Fatal(err)
	}
	if m.Name != "demo" || m.Version != "1.0" {
		t.Errorf("%s %s", m.Name, m.Version)
	}
	if _, err := ReadMetadata("x.whl", packZip(t, files{"a": "b"}, nil)); err == nil {
		t.Error("a zip without METADATA was accepted")
	}
}
