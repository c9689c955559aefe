package base

import (
	"context"
	"fmt"
	"strings"

	"github.com/eryx-build/eryx/internal/cache"
)

// collection gathers the content of a source, piece by piece.
type collection struct {
	pins    *pinSet
	source  string
	content map[string][]byte
	digests map[string]string // of content
	other   map[string]string // what is there under a name, but is not ours
	seen    int               // pieces looked at
}

func newCollection(pins *pinSet, source string) *collection {
	return &collection{pins: pins, source: source, content: map[string][]byte{}, digests: map[string]string{}, other: map[string]string{}}
}

// add looks at a piece and keeps it if it is wanted.
func (c *collection) add(data []byte) {
	c.seen++
	name := identify(data)
	if name == "" {
		return
	}
	var digest string
	if name == stdlibName {
		var err error
		if data, digest, err = normaliseArchive(data); err != nil {
			c.other[name] = err.Error()
			return
		}
	} else {
		digest = cache.Digest(data)
	}
	for _, p := range c.pins.wanted() {
		if p.Name == name && p.accepts(digest) {
			c.content[name], c.digests[name] = data, digest
			return
		}
	}
	c.other[name] = "SHA-256 " + digest
}

func (c *collection) complete() bool { return len(c.content) == len(c.pins.wanted()) }

// result is the content if it is complete; the error says what is missing and
// what is there instead.
func (c *collection) result() (*found, error) {
	if c.complete() {
		return &found{content: c.content, digests: c.digests}, nil
	}
	var missing, altered []string
	for _, p := range c.pins.wanted() {
		if _, ok := c.content[p.Name]; ok {
			continue
		}
		if what, ok := c.other[p.Name]; ok {
			altered = append(altered, fmt.Sprintf("%s (%s, expected %s)", p.Name, what, p.SHA256))
		} else {
			missing = append(missing, p.Name)
		}
	}
	var problems []string
	if len(altered) > 0 {
		problems = append(problems, "not the content that "+distribution()+" has: "+strings.Join(altered, ", "))
	}
	if len(missing) > 0 {
		problems = append(problems, "missing: "+strings.Join(missing, ", "))
	}
	return nil, sourceError(c.source, strings.Join(problems, "; "))
}

// carve takes the content out of a native binary of a wheel.
func (l *loader) carve(ctx context.Context, source string, binary []byte) (*found, error) {
	c := newCollection(l.pins, source)
	total := int64(len(binary))
	err := eachFrame(binary, func(end int, content []byte) error {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("carve %s: %w", source, context.Cause(ctx))
		}
		c.add(content)
		l.progress(Progress{Step: "carve", Done: int64(end), Total: total})
		return nil
	})
	if err != nil {
		return nil, err
	}
	if c.seen == 0 {
		return nil, sourceError(source, "holds no compressed libraries: it is not a binary of "+distribution())
	}
	l.progress(Progress{Step: "carve", Done: total, Total: total})
	return c.result()
}
