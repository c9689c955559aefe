package base

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/eryx-build/eryx/internal/atomicfile"
	"github.com/eryx-build/eryx/internal/version"
)

// stall is how long a download may stand still.
const stall = 60 * time.Second

func isURL(source string) bool {
	lower := strings.ToLower(source)
	return strings.HasPrefix(lower, "http://") || strings.HasPrefix(lower, "https://")
}

// withoutSecrets is a URL as messages show it: without a password, and without
// the query, in which signed addresses have their signature. What is not a URL
// stays as it is.
func withoutSecrets(source string) string {
	scheme, _, ok := strings.Cut(source, "://")
	if !ok {
		return source
	}
	u, err := url.Parse(source)
	if err != nil {
		return scheme + "://…"
	}
	u.User = nil
	u.Fragment, u.RawFragment = "", ""
	if u.RawQuery != "" {
		u.RawQuery = "…"
	}
	return u.String()
}

// fromURL downloads a wheel. It has to be one of those that are pinned, so
// nothing that is larger than those is read.
func (l *loader) fromURL(ctx context.Context, source string) (*found, error) {
	u, err := url.Parse(source)
	if err != nil {
		return nil, sourceError(withoutSecrets(source), "is not a URL")
	}
	name := withoutSecrets(source)
	if l.Offline {
		return nil, l.offline(name)
	}
	dir, err := l.tempDir()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) // swept later if that fails
	file := filepath.Join(dir, "download.whl")
	l.progress(Progress{Step: "fetch", Message: "fetching " + name})
	if err := l.download(ctx, u, name, file); err != nil {
		return nil, err
	}
	digest, err := fileDigest(ctx, file)
	if err != nil {
		return nil, err
	}
	w, ok := l.pins.wheelByDigest(digest)
	if !ok {
		return nil, sourceError(name, fmt.Sprintf("has the SHA-256 %s, which is none of %s's", digest, distribution()))
	}
	f, err := l.fromWheel(ctx, file)
	if err != nil {
		return nil, err
	}
	f.info.File = w.File
	if base := path.Base(u.Path); strings.HasSuffix(base, ".whl") {
		f.info.File = base
	}
	return f, nil
}

func (l *loader) download(ctx context.Context, u *url.URL, name, file string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	failed := func(err error) error {
		var full *atomicfile.WriteError
		if errors.As(err, &full) {
			return full
		}
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		var urlErr *url.Error
		if errors.As(err, &urlErr) {
			err = urlErr.Err // the message names the URL already, without a password
		}
		return &Error{Kind: ErrFetch, Source: name, Problem: "download failed: " + err.Error(), Err: err,
			Remedy: "check the address and the network, or download the file by other means and give it with --base FILE"}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return failed(err)
	}
	request.Header.Set("User-Agent", "eryx-build/"+version.Version)
	timer := time.AfterFunc(stall, func() { cancel(fmt.Errorf("nothing came for %v", stall)) })
	defer timer.Stop()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return failed(err)
	}
	defer response.Body.Close() // read only: nothing can be lost
	if response.StatusCode != http.StatusOK {
		return failed(fmt.Errorf("the server answers %s", response.Status))
	}
	limit := l.pins.largestWheel()
	if response.ContentLength > limit {
		return sourceError(name, fmt.Sprintf("has %d bytes, more than any wheel of %s", response.ContentLength, distribution()))
	}
	total := max(response.ContentLength, 0)
	return atomicfile.Write(file, 0o600, func(w io.Writer) error {
		buffer := make([]byte, 128<<10)
		var done int64
		for {
			n, err := response.Body.Read(buffer)
			if n > 0 {
				timer.Reset(stall)
			}
			if done += int64(n); done > limit {
				return sourceError(name, "has more bytes than any wheel of "+distribution())
			}
			if _, err := w.Write(buffer[:n]); err != nil {
				return err
			}
			l.progress(Progress{Step: "fetch", Done: done, Total: total})
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return failed(err)
			}
		}
	})
}
