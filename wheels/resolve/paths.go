package resolve

import (
	"errors"
	"io/fs"
	"net/url"
	"path/filepath"
	"strings"
)

// fileURL is the URL of a file.
func fileURL(file string) string {
	absolute, err := filepath.Abs(file)
	if err != nil {
		absolute = file
	}
	path := filepath.ToSlash(absolute)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return (&url.URL{Scheme: "file", Path: path}).String()
}

func unescape(text string) (string, error) {
	text, _, _ = strings.Cut(text, "#")
	return url.PathUnescape(text)
}

// urlFile is the name of the file that a URL is of.
func urlFile(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Path[strings.LastIndexByte(u.Path, '/')+1:]
}

// pathProblem leaves out the path, which messages have already.
func pathProblem(err error) string {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err.Error()
	}
	return err.Error()
}
