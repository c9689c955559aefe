package snapshot

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"
)

// chunkSize is how much is compressed at a time, in bytes; several are at once.
const chunkSize = 1 << 20

// rawChunk marks a chunk that is stored as it is.
const rawChunk = 1 << 31

// worthIt is the share of its size that a chunk has to save to be compressed:
// one eighth.
const worthIt = 8

// chunk is a part of a section's content.
type chunk struct {
	pieces [][]byte // of the content, or where it goes when it is read
	size   int
	stored []byte
	raw    bool
}

// divide makes chunks of a content.
func divide(pieces [][]byte) []*chunk {
	var chunks []*chunk
	var last *chunk
	for _, piece := range pieces {
		for len(piece) > 0 {
			if last == nil || last.size == chunkSize {
				last = &chunk{}
				chunks = append(chunks, last)
			}
			n := min(len(piece), chunkSize-last.size)
			last.pieces = append(last.pieces, piece[:n])
			last.size += n
			piece = piece[n:]
		}
	}
	return chunks
}

// Coders take much longer to make than to use.
var (
	encoders = sync.Pool{New: func() any {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
			zstd.WithEncoderCRC(false), zstd.WithWindowSize(256<<10), zstd.WithLowerEncoderMem(true))
		if err != nil {
			panic(err) // the options are constants
		}
		return e
	}}
	decoders = sync.Pool{New: func() any {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(chunkSize),
			zstd.WithDecoderMaxWindow(chunkSize), zstd.WithDecoderLowmem(true))
		if err != nil {
			panic(err)
		}
		return d
	}}
)

// parallel calls do for each index below n, from as many goroutines as can run
// at once.
func parallel(n int, do func(i int)) {
	workers := min(n, runtime.GOMAXPROCS(0), 8)
	if workers <= 1 {
		for i := range n {
			do(i)
		}
		return
	}
	var next atomic.Int64
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				do(i)
			}
		})
	}
	group.Wait()
}

func compress(chunks []*chunk) {
	parallel(len(chunks), func(i int) {
		c := chunks[i]
		content := c.pieces[0]
		if len(c.pieces) > 1 {
			buffer := buffers.Get().(*[chunkSize]byte)
			defer buffers.Put(buffer)
			content = buffer[:0]
			for _, piece := range c.pieces {
				content = append(content, piece...)
			}
		}
		e := encoders.Get().(*zstd.Encoder)
		defer encoders.Put(e)
		c.stored = e.EncodeAll(content, make([]byte, 0, c.size/4+256))
		if len(c.stored) > c.size-c.size/worthIt {
			c.stored, c.raw = append(c.stored[:0], content...), true
		}
	})
}

// buffers have room for a chunk.
var buffers = sync.Pool{New: func() any { return new([chunkSize]byte) }}

// expand writes the chunks' contents to their pieces.
func expand(chunks []*chunk) error {
	var damaged atomic.Bool
	parallel(len(chunks), func(i int) {
		c := chunks[i]
		if c.raw {
			scatter(c.pieces, c.stored)
			return
		}
		d := decoders.Get().(*zstd.Decoder)
		defer decoders.Put(d)
		if len(c.pieces) == 1 {
			// In place, where it is not more than it should be.
			content := c.pieces[0]
			out, err := d.DecodeAll(c.stored, content[:0])
			if err != nil || len(out) != c.size {
				damaged.Store(true)
			} else if &out[0] != &content[0] {
				copy(content, out)
			}
			return
		}
		buffer := buffers.Get().(*[chunkSize]byte)
		defer buffers.Put(buffer)
		out, err := d.DecodeAll(c.stored, buffer[:0])
		if err != nil || len(out) != c.size {
			damaged.Store(true)
			return
		}
		scatter(c.pieces, out)
	})
	if damaged.Load() {
		return fail(Damaged, "a compressed chunk is not one of its size")
	}
	return nil
}

// scatter copies content to pieces that are as long together.
func scatter(pieces [][]byte, content []byte) {
	for _, piece := range pieces {
		content = content[copy(piece, content):]
	}
}
