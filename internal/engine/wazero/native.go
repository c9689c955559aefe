package wazero

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/eryx-build/eryx/internal/wasm"
)

// Native is a module's native code, to be stored and given back as
// [engine.NativeCode].
type Native struct {
	Target string
	Data   []byte
}

// PrecompileOptions configure [Engine.Precompile]. The zero value compiles
// without keeping anything.
type PrecompileOptions struct {
	// CacheDir is the one given to [Engine.Load] for the same module, if it
	// has been loaded: then it is not compiled again.
	CacheDir string
	// Notify is told in one sentence when the module has to be compiled.
	Notify func(message string)
}

// Precompile compiles a module for this machine, to be loaded by means of its
// skeleton. Same inputs, wazero and CPU give the same bytes.
func (e *Engine) Precompile(ctx context.Context, module, skeleton []byte, options PrecompileOptions) (*Native, error) {
	parsed, err := matches(module, skeleton)
	if err != nil {
		return nil, fmt.Errorf("precompile: skeleton is not this module's: %w", err)
	}
	target, err := e.findTarget()
	if err != nil {
		return nil, err
	}
	code, err := e.nativeCode(ctx, module, options)
	if err != nil {
		return nil, fmt.Errorf("precompile: %w", err)
	}
	learned, err := e.learn(ctx, skeleton)
	if err != nil {
		return nil, fmt.Errorf("precompile: learn the skeleton's name: %w", err)
	}
	described := entry{
		Directory: learned.Directory, Name: learned.Name, Size: int64(len(code)),
		Recyclable: leavesTablesAlone(parsed),
	}
	if err := described.measure(bytes.NewReader(code)); err != nil {
		return nil, fmt.Errorf("precompile: %w", err)
	}
	data, err := encodeNative(&described, code)
	if err != nil {
		return nil, err
	}
	return &Native{Target: target, Data: data}, nil
}

// nativeCode is the content of the cache entry of a whole module.
func (e *Engine) nativeCode(ctx context.Context, module []byte, options PrecompileOptions) ([]byte, error) {
	e.compiling.Lock()
	defer e.compiling.Unlock()
	if options.CacheDir != "" {
		root := wholeRoot(options.CacheDir, module)
		if found, err := readEntry(root); err == nil {
			return os.ReadFile(found.path(root))
		}
	}
	if options.Notify != nil {
		options.Notify(noticeCompiling)
	}
	p, staged, err := e.compileInto(ctx, module, options.CacheDir)
	if err != nil {
		return nil, err
	}
	defer staged.discard()
	if err := p.close(ctx); err != nil {
		return nil, err
	}
	if staged.entry == nil {
		return nil, errNoCompiler
	}
	code, err := os.ReadFile(staged.entry.path(staged.root))
	if err != nil {
		return nil, err
	}
	if options.CacheDir != "" {
		// The code is at hand; not having it next time only costs time.
		_ = staged.install(wholeRoot(options.CacheDir, module))
	}
	return code, nil
}

// matches checks that the skeleton is the module's own: all that wazero lays out
// in an instance depends on what is compared here, and the digest says which
// code it stands for. It
// returns the module.
func matches(module, skeleton []byte) (*wasm.Module, error) {
	m, err := wasm.Parse(module)
	if err != nil {
		return nil, err
	}
	s, err := wasm.Parse(skeleton)
	if err != nil {
		return nil, err
	}
	strip := func(m *wasm.Module) []byte {
		bare := *m
		bare.Customs, bare.Code, bare.Data = nil, nil, nil
		return bare.Encode()
	}
	switch {
	case !bytes.Equal(strip(m), strip(s)):
		return nil, errors.New("types, imports, exports, tables, memory, globals or elements differ")
	case len(m.Code) != len(s.Code):
		return nil, fmt.Errorf("%d functions instead of %d", len(s.Code), len(m.Code))
	case len(m.Data) != len(s.Data):
		return nil, fmt.Errorf("%d data segments instead of %d", len(s.Data), len(m.Data))
	}
	// Native code goes by its skeleton: of another module's it would be run in
	// that one's place.
	sum := sha256.Sum256(module)
	if digest, ok := s.Custom(wasm.SkeletonSection); !ok || string(digest) != hex.EncodeToString(sum[:]) {
		return nil, errors.New("it has not the module's digest")
	}
	return m, nil
}

// nativeMagic begins native code as it is stored: this, the length of a JSON
// description as 32-bit little-endian number, the description (an [entry]) and
// the content of wazero's cache file.
const nativeMagic = "eryx-wazero-1\n"

// maxDescription is far more than an entry's JSON takes, in bytes.
const maxDescription = 4096

func encodeNative(e *entry, code []byte) ([]byte, error) {
	description, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	data := make([]byte, 0, len(nativeMagic)+4+len(description)+len(code))
	data = append(data, nativeMagic...)
	data = binary.LittleEndian.AppendUint32(data, uint32(len(description)))
	data = append(data, description...)
	return append(data, code...), nil
}

// decodeNative takes native code apart. The second result shares data's memory.
func decodeNative(data []byte) (*entry, []byte, error) {
	rest, ok := bytes.CutPrefix(data, []byte(nativeMagic))
	if !ok || len(rest) < 4 {
		return nil, nil, errors.New("not native code for wazero")
	}
	size := binary.LittleEndian.Uint32(rest)
	rest = rest[4:]
	if size > maxDescription || uint64(size) > uint64(len(rest)) {
		return nil, nil, fmt.Errorf("native code: description of %d bytes", size)
	}
	e := new(entry)
	if err := json.Unmarshal(rest[:size], e); err != nil {
		return nil, nil, fmt.Errorf("native code: description: %w", err)
	}
	if err := e.check(); err != nil {
		return nil, nil, fmt.Errorf("native code: %w", err)
	}
	code := rest[size:]
	if int64(len(code)) != e.Size {
		return nil, nil, fmt.Errorf("native code: %d bytes instead of %d", len(code), e.Size)
	}
	digest, err := e.digest(bytes.NewReader(code))
	if err != nil {
		return nil, nil, err
	}
	if digest != e.Digest {
		return nil, nil, errors.New("native code: does not have the digest in its description")
	}
	return e, code, nil
}
