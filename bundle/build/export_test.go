package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/eryx-build/eryx/bundle"
	"github.com/eryx-build/eryx/internal/cache"
)

// StageOutput is what a stage makes of certain inputs, by digest.
type StageOutput struct {
	Stage    string `json:"stage"`
	Revision int    `json:"revision"`
	Inputs   string `json:"inputs"`
	Output   string `json:"output"`
}

// StageOutputs runs the stages and lists what those make whose output is the
// same on every machine: all but native code.
func StageOutputs(ctx context.Context, o Options) (outputs []StageOutput, err error) {
	b, err := newBuilder(o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.engine.Close(ctx)) }()
	if _, err := b.build(ctx); err != nil {
		return nil, err
	}
	b.native = nil
	for _, stage := range []string{StageLink, StageMeter, StageStdlib, StagePreinit, StagePack} {
		inputs, err := b.inputs(stage)
		if err != nil {
			return nil, err
		}
		key, err := cache.NewKey(stage, inputs...)
		if err != nil {
			return nil, err
		}
		output, err := b.output(stage)
		if err != nil {
			return nil, err
		}
		outputs = append(outputs, StageOutput{Stage: stage, Revision: revisions[stage], Inputs: key.SHA256, Output: output})
	}
	return outputs, nil
}

// output is the digest of what a stage made.
func (b *builder) output(stage string) (string, error) {
	if stage == StagePack {
		contents, err := b.contents()
		if err != nil {
			return "", err
		}
		info, err := bundle.Encode(io.Discard, contents)
		if err != nil {
			return "", err
		}
		return info.SHA256, nil
	}
	entry := map[string]*cache.Entry{
		StageLink: b.linked, StageMeter: b.metered, StageStdlib: b.library, StagePreinit: b.state,
	}[stage]
	record, err := meta[json.RawMessage](entry)
	if err != nil {
		return "", err
	}
	made := []any{record}
	for _, name := range entry.Names() {
		made = append(made, fmt.Sprintf("%s  %s", entry.Digest(name), name))
	}
	text, err := json.Marshal(made)
	return cache.Digest(text), err
}
