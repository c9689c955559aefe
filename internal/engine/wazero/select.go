package wazero

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/eryx-build/eryx/internal/engine"
)

const noticeCompiling = "Compiling the module for this machine; this takes some seconds and is done once."

// program finds or makes the native code of a module, the cheapest way first:
// code that is in the cache directory, code that was brought along, compiling.
func (e *Engine) program(ctx context.Context, code engine.Code) (*program, error) {
	if p := e.cached(ctx, code); p != nil {
		return p, nil
	}
	e.compiling.Lock()
	defer e.compiling.Unlock()
	if p := e.cached(ctx, code); p != nil {
		return p, nil
	}
	p, problem := e.expanded(ctx, code)
	if p != nil {
		return p, nil
	}
	return e.compiled(ctx, code, problem)
}

// cached opens what an earlier run has left in the cache directory.
func (e *Engine) cached(ctx context.Context, code engine.Code) *program {
	if code.CacheDir == "" || len(code.Skeleton) == 0 {
		return nil
	}
	for _, n := range code.Native {
		if validDigest(n.SHA256) {
			if p, err := openSkeleton(ctx, code.Skeleton, nativeRoot(code.CacheDir, n.SHA256)); err == nil {
				return p
			}
		}
	}
	for _, root := range localRoots(code.CacheDir, shortDigest(code.Skeleton)) {
		if p, err := openSkeleton(ctx, code.Skeleton, root); err == nil {
			return p
		}
	}
	return nil
}

// openSkeleton makes a program of a skeleton and the module's native code in a
// root.
func openSkeleton(ctx context.Context, skeleton []byte, root string) (*program, error) {
	e, err := readEntry(root)
	if err != nil {
		return nil, err
	}
	return openEntry(ctx, skeleton, root, e)
}

func openEntry(ctx context.Context, skeleton []byte, root string, e *entry) (*program, error) {
	p, err := openCached(ctx, skeleton, root)
	if err != nil {
		if !errors.Is(err, errMiss) {
			_ = os.RemoveAll(root) // damaged, while code for another machine may be of use there
		}
		return nil, err
	}
	if e.Functions >= 0 && e.Functions != p.outline.functions {
		return nil, errors.Join(
			fmt.Errorf("native code has %d functions, the skeleton %d", e.Functions, p.outline.functions),
			p.close(ctx))
	}
	p.skeleton = true
	p.recyclable = e.Recyclable && p.outline.initial != nil
	return p, nil
}

// expanded looks for native code for this machine among what was brought
// along, and puts it into the cache directory. The error says why there is
// none; nil if there was nothing to try.
func (e *Engine) expanded(ctx context.Context, code engine.Code) (*program, error) {
	if len(code.Skeleton) == 0 || len(code.Native) == 0 {
		return nil, nil
	}
	target, err := e.findTarget()
	if err != nil {
		return nil, err
	}
	problem := fmt.Errorf("there is no native code for %s", target)
	for i := range code.Native {
		n := &code.Native[i]
		if n.Target != target {
			continue
		}
		p, err := expand(ctx, code, n)
		if err == nil {
			return p, nil
		}
		problem = fmt.Errorf("the native code for %s cannot be used: %w", target, err)
	}
	return nil, problem
}

func expand(ctx context.Context, code engine.Code, n *engine.NativeCode) (*program, error) {
	if !validDigest(n.SHA256) {
		return nil, fmt.Errorf("its digest %q is not a SHA-256 in hexadecimal", n.SHA256)
	}
	data, err := n.Open()
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != n.SHA256 {
		return nil, errors.New("it has been altered: its digest is not the one that it should have")
	}
	described, content, err := decodeNative(data)
	if err != nil {
		return nil, err
	}
	s, err := newStage(code.CacheDir)
	if err != nil {
		return nil, err
	}
	defer s.discard()
	if err := s.fill(described, content); err != nil {
		return nil, err
	}
	p, err := openEntry(ctx, code.Skeleton, s.root, described)
	if err != nil {
		return nil, err
	}
	if code.CacheDir != "" {
		// Native code is at hand; not having it next time only costs time.
		_ = s.install(nativeRoot(code.CacheDir, n.SHA256))
	}
	return p, nil
}

func validDigest(s string) bool {
	return len(s) == 2*sha256.Size && strings.Trim(s, "0123456789abcdef") == ""
}

// compiled compiles the whole module and keeps the result in the cache
// directory: for the skeleton, if there is one, and otherwise for the module.
func (e *Engine) compiled(ctx context.Context, code engine.Code, problem error) (*program, error) {
	if code.Wasm == nil {
		return nil, errors.Join(errors.New("load module: neither usable native code nor the module itself is there"), problem)
	}
	module, err := code.Wasm()
	if err != nil {
		return nil, fmt.Errorf("load module: %w", err)
	}
	whole := ""
	if code.CacheDir != "" {
		whole = wholeRoot(code.CacheDir, module)
		if _, err := readEntry(whole); err == nil {
			if p, err := openCached(ctx, module, whole); err == nil {
				return p, nil
			}
			_ = os.RemoveAll(whole)
		}
	}
	if code.Notify != nil {
		message := noticeCompiling
		if problem != nil {
			message += " (" + firstUpper(problem.Error()) + ".)"
		}
		code.Notify(message)
	}
	p, s, err := e.compileInto(ctx, module, code.CacheDir)
	if err != nil {
		return nil, fmt.Errorf("load module: %w", err)
	}
	defer s.discard()
	if code.CacheDir == "" || s.entry == nil {
		return p, nil
	}
	// What cannot be kept is compiled again next time.
	if parsed, err := matches(module, code.Skeleton); err == nil {
		s.entry.Recyclable = leavesTablesAlone(parsed)
		_ = e.keepForSkeleton(ctx, code, s)
	} else {
		_ = s.install(whole)
	}
	return p, nil
}

func (e *Engine) keepForSkeleton(ctx context.Context, code engine.Code, compiled *stage) error {
	learned, err := e.learn(ctx, code.Skeleton)
	if err != nil {
		return err
	}
	s, err := newStage(code.CacheDir)
	if err != nil {
		return err
	}
	defer s.discard()
	if err := s.link(compiled, learned); err != nil {
		return err
	}
	return s.install(localRoot(code.CacheDir, shortDigest(code.Skeleton), s.entry))
}

func firstUpper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
