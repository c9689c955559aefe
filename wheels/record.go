package wheels

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/csv"
	"errors"
	"hash"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Record is one line of a RECORD file.
type Record struct {
	Path string
	Hash string // "sha256=…" in unpadded URL-safe base64; may be empty
	Size int64  // in bytes; -1 where it is not given
}

// ParseRecord parses a RECORD file. The error is a [*ParseError].
func ParseRecord(data []byte) ([]Record, error) {
	fail := func(line string, reason string) ([]Record, error) {
		return nil, &ParseError{What: "RECORD", Input: line, Offset: -1, Reason: reason}
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.FieldsPerRecord = -1
	r.ReuseRecord = true
	r.LazyQuotes = true
	var records []Record
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return records, nil
		}
		if err != nil {
			return fail("", err.Error())
		}
		if len(row) != 3 || row[0] == "" {
			return fail(strings.Join(row, ","), "a line does not have the three fields path, hash and size")
		}
		record := Record{Path: row[0], Hash: row[1], Size: -1}
		if row[2] != "" {
			size, err := strconv.ParseUint(row[2], 10, 62)
			if err != nil {
				return fail(strings.Join(row, ","), "a size is not a number")
			}
			record.Size = int64(size)
		}
		records = append(records, record)
	}
}

// recordHashes are the digests that are accepted: the specification requires
// sha256 or better.
var recordHashes = map[string]func() hash.Hash{
	"sha256": sha256.New,
	"sha384": sha512.New384,
	"sha512": sha512.New,
}

// signature reports whether RECORD need not list a file, or not with a digest:
// itself and what signs it.
func signature(distInfo, path string) bool {
	name, inside := strings.CutPrefix(path, distInfo+"/")
	return inside && (name == "RECORD" || name == "RECORD.jws" || name == "RECORD.p7s")
}

// verifyRecord checks files against RECORD.
func verifyRecord(file, distInfo string, files map[string][]byte, records []Record) error {
	fail := func(member, reason string) error { return &RecordError{file, member, reason} }
	listed := make(map[string]bool, len(records))
	for _, r := range records {
		if listed[r.Path] {
			return fail(r.Path, "it is listed twice")
		}
		listed[r.Path] = true
		data, ok := files[r.Path]
		if !ok {
			if strings.HasSuffix(r.Path, "/") || strings.HasSuffix(r.Path, ".pyc") || signature(distInfo, r.Path) {
				continue // what installers make themselves
			}
			return fail(r.Path, "it is listed, but is not in the wheel")
		}
		if r.Path == distInfo+"/RECORD" {
			continue // it cannot have its own digest
		}
		if r.Hash == "" {
			if signature(distInfo, r.Path) {
				continue
			}
			return fail(r.Path, "it is listed without a digest")
		}
		algorithm, want, _ := strings.Cut(r.Hash, "=")
		newHash := recordHashes[strings.ToLower(algorithm)]
		if newHash == nil {
			return fail(r.Path, "its digest is "+algorithm+", not one of sha256, sha384 and sha512")
		}
		if r.Size >= 0 && r.Size != int64(len(data)) {
			return fail(r.Path, "it has "+strconv.Itoa(len(data))+" bytes, not "+strconv.FormatInt(r.Size, 10))
		}
		h := newHash()
		h.Write(data)
		if base64.RawURLEncoding.EncodeToString(h.Sum(nil)) != strings.TrimRight(want, "=") {
			return fail(r.Path, "its content has another digest")
		}
	}
	for _, path := range sortedKeys(files) {
		if !listed[path] && !signature(distInfo, path) {
			return fail(path, "it is not listed")
		}
	}
	return nil
}

// formatRecord writes a RECORD file, in the order of paths.
func formatRecord(records []Record) []byte {
	slices.SortFunc(records, func(a, b Record) int { return cmp.Compare(a.Path, b.Path) })
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	for _, r := range records {
		size := ""
		if r.Size >= 0 {
			size = strconv.FormatInt(r.Size, 10)
		}
		_ = w.Write([]string{r.Path, r.Hash, size}) // a bytes.Buffer takes everything
	}
	w.Flush()
	return out.Bytes()
}

// recordOf is the line of a file.
func recordOf(path string, data []byte) Record {
	sum := sha256.Sum256(data)
	return Record{path, "sha256=" + base64.RawURLEncoding.EncodeToString(sum[:]), int64(len(data))}
}
