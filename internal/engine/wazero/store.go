package wazero

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A root is one directory with wazero's cache for a single module in it, and
// beside it the description of what should be there. Roots appear complete, by
// being renamed, and are never changed; one that does not verify is removed.

const (
	descriptionFile = "entry.json"
	stagePrefix     = ".stage-"
	// wholePrefix begins roots of whole modules, nativePrefix those of native
	// code that was brought along, and localPrefix those of native code that
	// was compiled here for a skeleton.
	wholePrefix  = "module-"
	nativePrefix = "native-"
	localPrefix  = "skeleton-"
)

func shortDigest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16])
}

func wholeRoot(cacheDir string, module []byte) string {
	return filepath.Join(cacheDir, wholePrefix+shortDigest(module))
}

func nativeRoot(cacheDir, digest string) string {
	return filepath.Join(cacheDir, nativePrefix+digest[:32])
}

// localRoots finds the roots with code compiled here for the skeleton. There
// are several if machines with different CPUs share the directory.
func localRoots(cacheDir, skeletonDigest string) []string {
	found, err := os.ReadDir(cacheDir)
	if err != nil {
		return nil
	}
	var roots []string
	for _, f := range found {
		if strings.HasPrefix(f.Name(), localPrefix+skeletonDigest) {
			roots = append(roots, filepath.Join(cacheDir, f.Name()))
		}
	}
	return roots
}

func localRoot(cacheDir, skeletonDigest string, e *entry) string {
	return filepath.Join(cacheDir, localPrefix+skeletonDigest+"-"+e.Name[:16])
}

// readEntry reads a root's description and verifies what it describes. A root
// that is there but does not verify is removed.
func readEntry(root string) (*entry, error) {
	data, err := os.ReadFile(filepath.Join(root, descriptionFile))
	if err != nil {
		return nil, err
	}
	e := new(entry)
	if err = json.Unmarshal(data, e); err == nil {
		if err = e.check(); err == nil {
			err = e.verify(root)
		}
	}
	if err != nil {
		_ = os.RemoveAll(root)
		return nil, fmt.Errorf("native code in %s: %w", root, err)
	}
	return e, nil
}

// stage is a root that is being made.
type stage struct {
	root  string
	entry *entry // nil if there is nothing to keep
}

// newStage makes an empty root inside dir, or in the system's temporary
// directory if dir is "" or cannot be written.
func newStage(dir string) (*stage, error) {
	if dir != "" {
		if err := os.MkdirAll(dir, 0o700); err == nil {
			removeAbandoned(dir)
			if root, err := os.MkdirTemp(dir, stagePrefix); err == nil {
				return &stage{root: root}, nil
			}
		}
	}
	root, err := os.MkdirTemp("", "eryx"+stagePrefix)
	if err != nil {
		return nil, err
	}
	return &stage{root: root}, nil
}

// removeAbandoned removes the stages of processes that did not come to an end.
func removeAbandoned(dir string) {
	stages, _ := filepath.Glob(filepath.Join(dir, stagePrefix+"*"))
	for _, s := range stages {
		if info, err := os.Stat(s); err == nil && time.Since(info.ModTime()) > 24*time.Hour {
			_ = os.RemoveAll(s)
		}
	}
}

func (s *stage) discard() { _ = os.RemoveAll(s.root) }

// fill writes the code where wazero will look for it.
func (s *stage) fill(e *entry, code []byte) (err error) {
	if err := os.MkdirAll(filepath.Join(s.root, e.Directory), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(e.path(s.root), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(code)
	if err == nil {
		err = f.Sync()
	}
	if closeError := f.Close(); err == nil {
		err = closeError
	}
	if err == nil {
		s.entry = e
	}
	return err
}

// install gives the root its final name. If another process was faster, its
// root stays.
func (s *stage) install(root string) error {
	description, err := json.Marshal(s.entry)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.root, descriptionFile), description, 0o600); err != nil {
		return err
	}
	return os.Rename(s.root, root)
}

// compileInto compiles a module into a stage inside dir. The stage's entry is
// nil if wazero does not compile here but interprets.
func (e *Engine) compileInto(ctx context.Context, module []byte, dir string) (*program, *stage, error) {
	s, err := newStage(dir)
	if err != nil {
		// Without any directory, compile and keep nothing.
		p, compileError := e.openCompiled(ctx, module, "")
		return p, &stage{}, compileError
	}
	p, err := e.openCompiled(ctx, module, s.root)
	if err != nil {
		s.discard()
		// The disk may be full: the code is needed now, not the file.
		if ctx.Err() != nil {
			return nil, nil, context.Cause(ctx)
		}
		p, again := e.openCompiled(ctx, module, "")
		if again != nil {
			return nil, nil, again
		}
		return p, &stage{}, nil
	}
	if observed, err := observeEntry(s.root); err == nil {
		s.entry = observed
	}
	return p, s, nil
}

// link puts the file of one stage into another under another name.
func (s *stage) link(from *stage, learned *entry) error {
	e := *from.entry
	e.Directory, e.Name = learned.Directory, learned.Name
	if err := os.MkdirAll(filepath.Join(s.root, e.Directory), 0o700); err != nil {
		return err
	}
	if err := os.Link(from.entry.path(from.root), e.path(s.root)); err == nil {
		s.entry = &e
		return nil
	}
	f, err := os.Open(from.entry.path(from.root))
	if err != nil {
		return err
	}
	defer f.Close()
	code, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	return s.fill(&e, code)
}
