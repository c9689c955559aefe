package base

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// serve serves one body and counts the requests.
func serve(t *testing.T, handler http.HandlerFunc) (url string, requests *int) {
	t.Helper()
	requests = new(int)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*requests++
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, requests
}

func TestURL(t *testing.T) {
	f := newFixture(t)
	url, requests := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(f.wheel) })
	c := openCache(t)
	source := strings.Replace(url, "://", "://user:secret@", 1) + "/path/" + f.pins.Wheels[0].File
	var messages []string
	for range 2 {
		b, err := f.load(t, Options{Source: source, Cache: c, Progress: func(p Progress) { messages = append(messages, p.Message) }})
		if err != nil {
			t.Fatal(err)
		}
		if b.Source.File != f.pins.Wheels[0].File || b.Source.SHA256 != f.pins.Wheels[0].SHA256 {
			t.Errorf("source %+v", b.Source)
		}
	}
	if *requests != 1 {
		t.Errorf("%d requests for two loads", *requests)
	}
	if b, err := f.load(t, Options{Source: source, Cache: c, Offline: true}); err != nil || b.Digest == "" {
		t.Errorf("offline, from the cache: %v", err)
	}
	if names := litter(t, c); len(names) != 0 {
		t.Errorf("left behind: %q", names)
	}
	if text := strings.Join(messages, "\n"); !strings.Contains(text, "/path/") || strings.Contains(text, "secret") {
		t.Errorf("messages: %s", text)
	}
}

func TestBadURLs(t *testing.T) {
	f := newFixture(t)
	altered := bytes.Clone(f.wheel)
	altered[100] ^= 1
	for _, test := range []struct {
		name    string
		handler http.HandlerFunc
		kind    error
		want    string
	}{
		{"not found", http.NotFound, ErrFetch, "404 Not Found"},
		{"other content", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }, ErrSource, "which is none of componentize-py 0.24.0's"},
		{"altered", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(altered) }, ErrSource, "which is none of"},
		{"announced too large", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(f.wheel)+1))
			_, _ = w.Write([]byte("x"))
		}, ErrSource, "more than any wheel"},
		{"endless", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		}, ErrSource, "more bytes than any wheel"},
		{"cut off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(f.wheel)))
			_, _ = w.Write(f.wheel[:len(f.wheel)/2])
		}, ErrFetch, "unexpected EOF"},
	} {
		t.Run(test.name, func(t *testing.T) {
			url, _ := serve(t, test.handler)
			c := openCache(t)
			_, err := f.load(t, Options{Source: strings.Replace(url, "://", "://user:secret@", 1) + "/w.whl", Cache: c})
			if !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), url) {
				t.Errorf("got %v", err)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the message tells the password: %v", err)
			}
			if items, _, err := c.List(); err != nil || len(items) != 0 || len(litter(t, c)) != 0 {
				t.Errorf("left behind: %v, %v, %v", items, litter(t, c), err)
			}
		})
	}
	t.Run("nobody listens", func(t *testing.T) {
		_, err := f.load(t, Options{Source: "http://127.0.0.1:1/w.whl"})
		if !errors.Is(err, ErrFetch) || !strings.Contains(err.Error(), "--base FILE") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("offline", func(t *testing.T) {
		url, requests := serve(t, http.NotFound)
		_, err := f.load(t, Options{Source: url + "/w.whl", Offline: true})
		if !errors.Is(err, ErrOffline) || *requests != 0 {
			t.Errorf("%d requests, %v", *requests, err)
		}
	})
}

func TestDownloadEndsWithTheContext(t *testing.T) {
	f := newFixture(t)
	begun := make(chan struct{})
	url, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(f.wheel[:10])
		_ = http.NewResponseController(w).Flush()
		close(begun)
		<-r.Context().Done()
	})
	c := openCache(t)
	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		<-begun
		cancel(reason)
	}()
	started := time.Now()
	_, err := (&loader{Options: Options{Source: url + "/w.whl", Cache: c}, pins: f.pins}).load(ctx)
	if !errors.Is(err, reason) || time.Since(started) > 10*time.Second {
		t.Errorf("after %v: %v", time.Since(started), err)
	}
	if names := litter(t, c); len(names) != 0 {
		t.Errorf("left behind: %q", names)
	}
}
