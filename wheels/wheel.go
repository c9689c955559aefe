package wheels

import (
	"fmt"
	"strings"
)

// Wheel is a wheel file that the target can use.
type Wheel struct {
	File     string // the file's name, without directories
	Name     string // normalized
	Version  Version
	Tags     []Tag // of the file's name
	Tag      Tag   // the best of them for the target
	Metadata *Metadata
	Fields   []Field // of the WHEEL file

	EntryPoints []EntryPoint

	tree *Tree
}

// maxWheelVersion is the first version of the format, as "Wheel-Version: 1.0"
// has it, that is not known.
const maxWheelVersion = "2"

// Open reads a wheel, given its file name and content, verifies it, and checks
// that the target can use it.
//
// The errors are [*ParseError] for the name, [*FormatError], [*PathError],
// [*LimitError], [*RecordError], [*IncompatibleError], [*PythonVersionError]
// and [*NativeError].
func Open(name string, data []byte) (*Wheel, error) { return open(name, data, defaultLimits) }

func open(name string, data []byte, l limits) (*Wheel, error) {
	filename, err := ParseFilename(name)
	if err != nil {
		return nil, err
	}
	w := &Wheel{File: baseName(name), Name: filename.Name, Version: filename.Version, Tags: filename.Tags}
	if err := w.checkTags(); err != nil {
		return nil, err
	}
	files, err := readZip(w.File, data, l)
	if err != nil {
		return nil, err
	}
	distInfo, err := w.findDistInfo(files)
	if err != nil {
		return nil, err
	}
	if err := w.readMetadata(filename, distInfo, files); err != nil {
		return nil, err
	}
	if err := w.verify(distInfo, files); err != nil {
		return nil, err
	}
	if w.tree, err = w.install(distInfo, files); err != nil {
		return nil, err
	}
	return w, nil
}

// Tree returns what the wheel installs. It is shared: do not change it.
func (w *Wheel) Tree() *Tree { return w.tree }

// Files returns what the wheel puts below site-packages, by path. The map is
// shared: do not change it.
func (w *Wheel) Files() map[string][]byte { return w.tree.Files }

func (w *Wheel) fail(member, reason string) error {
	return &FormatError{File: w.File, Member: member, Reason: reason}
}

// findDistInfo returns the one directory with the wheel's metadata.
func (w *Wheel) findDistInfo(files map[string][]byte) (string, error) {
	found := map[string]bool{}
	for name := range files {
		if dir, _, nested := strings.Cut(name, "/"); nested && strings.HasSuffix(dir, ".dist-info") {
			found[dir] = true
		}
	}
	switch dirs := sortedKeys(found); len(dirs) {
	case 0:
		return "", w.fail("", "it has no .dist-info directory, so it is not a wheel")
	case 1:
		return dirs[0], nil
	default:
		return "", w.fail("", "it has more than one .dist-info directory: "+strings.Join(dirs, ", "))
	}
}

// readMetadata reads METADATA and WHEEL, which have to agree with the file's
// name.
func (w *Wheel) readMetadata(filename *Filename, distInfo string, files map[string][]byte) error {
	for _, required := range []string{"METADATA", "WHEEL", "RECORD"} {
		if _, ok := files[distInfo+"/"+required]; !ok {
			return w.fail(distInfo+"/"+required, "it is missing")
		}
	}
	metadata, err := ParseMetadata(files[distInfo+"/METADATA"])
	if err != nil {
		return &FormatError{File: w.File, Member: distInfo + "/METADATA", Reason: err.Error(), Err: err}
	}
	w.Metadata = metadata
	stem, _, _ := strings.Cut(distInfo, "-")
	if NormalizeName(metadata.Name) != filename.Name || NormalizeName(stem) != filename.Name {
		return w.fail(distInfo, fmt.Sprintf("it is a wheel of %s, not of what its file name says", metadata.Name))
	}
	version, err := ParseVersion(metadata.Version)
	if err != nil || !version.Equal(filename.Version) {
		return w.fail(distInfo, fmt.Sprintf("it is version %s, not what its file name says", metadata.Version))
	}
	w.EntryPoints = ParseEntryPoints(files[distInfo+"/entry_points.txt"])
	w.Fields, _ = parseHeaders(files[distInfo+"/WHEEL"])
	format, _, _ := strings.Cut(field(w.Fields, "Wheel-Version"), ".")
	if !isNumeric(format) {
		return w.fail(distInfo+"/WHEEL", "it has no Wheel-Version")
	}
	if makeNumber(format).compare(maxWheelVersion) >= 0 {
		return w.fail(distInfo+"/WHEEL", "it is of wheel format "+format+", and only formats before "+maxWheelVersion+" are known: use a newer eryx-build")
	}
	if !metadata.SupportsPython() {
		return &PythonVersionError{w.File, metadata.RequiresPython}
	}
	return nil
}

func (w *Wheel) verify(distInfo string, files map[string][]byte) error {
	records, err := ParseRecord(files[distInfo+"/RECORD"])
	if err != nil {
		return &FormatError{File: w.File, Member: distInfo + "/RECORD", Reason: err.Error(), Err: err}
	}
	return verifyRecord(w.File, distInfo, files, records)
}

// Reasons for files that are dropped.
const (
	dropScript   = "a sandbox starts no programs"
	dropHeader   = "headers are for compilers"
	dropRecord   = "signatures of RECORD do not outlast the installation"
	dropBytecode = "modules are byte-compiled when the bundle is built"
	dropFork     = "macOS puts such files into archives for itself"
)

const (
	dataSuffix  = ".data"
	installer   = "eryx\n"                        // the content of INSTALLER
	siteBelow   = "lib/python3.14/site-packages/" // below the prefix
	prefixAbove = "../../../"                     // from site-packages
)

// install applies the data scheme, and writes RECORD anew for where everything
// is then.
func (w *Wheel) install(distInfo string, files map[string][]byte) (*Tree, error) {
	site, data := map[string][]byte{}, map[string][]byte{}
	var dropped []Dropped
	drop := func(name, reason string) { dropped = append(dropped, Dropped{name, w.File, reason}) }
	for _, name := range sortedKeys(files) {
		target, to := name, site
		dir, below, nested := strings.Cut(name, "/")
		if nested && strings.HasSuffix(dir, dataSuffix) {
			scheme, path, found := strings.Cut(below, "/")
			if !found {
				return nil, w.fail(name, "it is in no directory of the data scheme")
			}
			target = path
			switch scheme {
			case "purelib", "platlib":
			case "data":
				if inside, ok := strings.CutPrefix(path, siteBelow); ok {
					target = inside
				} else if reserved(path) {
					return nil, &PathError{w.File, name, "it would be installed among the modules of Python itself, in " + Prefix + "/lib"}
				} else {
					to = data
				}
			case "scripts":
				drop(name, dropScript)
				continue
			case "headers":
				drop(name, dropHeader)
				continue
			default:
				return nil, w.fail(name, "the data scheme has no "+scheme)
			}
		} else if signature(distInfo, name) && name != distInfo+"/RECORD" {
			drop(name, dropRecord)
			continue
		}
		if dir, _, nested := strings.Cut(target, "/"); nested && dir != distInfo && strings.HasSuffix(dir, ".dist-info") {
			return nil, w.fail(name, "it would install the metadata of another distribution")
		}
		if _, ok := to[target]; ok {
			return nil, &PathError{w.File, name, "it is installed to the same place as another file"}
		}
		to[target] = files[name]
	}
	for _, tree := range []map[string][]byte{site, data} {
		if err := checkTree(w.File, tree); err != nil {
			return nil, err
		}
	}
	tree, err := newTree(w.File, site)
	if err != nil {
		return nil, err
	}
	tree.Data = data
	tree.Dropped = append(dropped, tree.Dropped...)
	tree.Files[distInfo+"/INSTALLER"] = []byte(installer)
	tree.Files[distInfo+"/RECORD"] = installedRecord(distInfo, tree)
	return tree, nil
}

// reserved reports whether data has no place at a path below the prefix,
// because Python's own files are there.
func reserved(path string) bool {
	for _, own := range []string{"lib/python3.14", "lib/eryx"} {
		if path == own || strings.HasPrefix(path, own+"/") || strings.HasPrefix(own, path+"/") {
			return true
		}
	}
	return false
}

// installedRecord lists what is installed, relative to site-packages.
func installedRecord(distInfo string, tree *Tree) []byte {
	self := distInfo + "/RECORD"
	records := []Record{{Path: self, Size: -1}}
	for name, data := range tree.Files {
		if name != self {
			records = append(records, recordOf(name, data))
		}
	}
	for name, data := range tree.Data {
		records = append(records, recordOf(prefixAbove+name, data))
	}
	return formatRecord(records)
}

// ReadMetadata reads only METADATA of a wheel, whether the target can use the
// wheel or not. The errors are those of [Open].
func ReadMetadata(name string, data []byte) (*Metadata, error) {
	w := &Wheel{File: baseName(name)}
	r, err := openZip(w.File, data)
	if err != nil {
		return nil, err
	}
	metadata := map[string][]byte{}
	b := &budget{limits: limits{files: defaultLimits.files, file: 16 << 20, total: 16 << 20}, name: w.File}
	for _, f := range r.File {
		if err := b.entry(); err != nil {
			return nil, err
		}
		dir, file, _ := strings.Cut(f.Name, "/")
		if file != "METADATA" || !strings.HasSuffix(dir, ".dist-info") {
			continue
		}
		if metadata[f.Name], err = b.readMember(f); err != nil {
			return nil, err
		}
	}
	if len(metadata) != 1 {
		return nil, w.fail("", fmt.Sprintf("it has %d METADATA files where a wheel has one", len(metadata)))
	}
	member := sortedKeys(metadata)[0]
	m, err := ParseMetadata(metadata[member])
	if err != nil {
		return nil, &FormatError{File: w.File, Member: member, Reason: err.Error(), Err: err}
	}
	return m, nil
}

func baseName(name string) string {
	name = strings.ReplaceAll(name, `\`, "/")
	return name[strings.LastIndexByte(name, '/')+1:]
}
