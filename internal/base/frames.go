package base

import (
	"bytes"
	"errors"

	"github.com/klauspost/compress/zstd"
)

// Bounds on what a stranger's binary can make us do.
const (
	maxFrame  = 64 << 20  // bytes, one frame decompressed
	maxFrames = 256 << 20 // bytes, all frames decompressed
)

var frameMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}

var errNoFrame = errors.New("not a frame")

// eachFrame finds the Zstandard frames in a binary and gives their content,
// the one after the other. The magic number also turns up by chance; what does
// not decode is passed over.
func eachFrame(binary []byte, visit func(end int, content []byte) error) error {
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxFrame))
	if err != nil {
		return err
	}
	defer decoder.Close()
	total := 0
	for at := 0; ; {
		i := bytes.Index(binary[at:], frameMagic)
		if i < 0 {
			return nil
		}
		at += i
		length, size, err := frameLength(binary[at:])
		if err != nil || total+size > maxFrames {
			at += len(frameMagic)
			continue
		}
		content, err := decoder.DecodeAll(binary[at:at+length], make([]byte, 0, size))
		if err != nil {
			at += len(frameMagic)
			continue
		}
		at += length
		total += len(content)
		if err := visit(at, content); err != nil {
			return err
		}
	}
}

// frameLength walks the blocks of the frame at the start of data (RFC 8878,
// section 3.1.1) and returns its length and an estimate of its content's, both
// in bytes, without decompressing.
func frameLength(data []byte) (length, size int, err error) {
	var h zstd.Header
	if err := h.Decode(data); err != nil || h.Skippable || h.DictionaryID != 0 {
		return 0, 0, errNoFrame
	}
	if h.HasFCS && h.FrameContentSize > maxFrame {
		return 0, 0, errNoFrame
	}
	const (
		blockHeader = 3
		blockMax    = 128 << 10
		checksum    = 4
	)
	at := h.HeaderSize
	blocks := 0
	for last := false; !last; blocks++ {
		if len(data)-at < blockHeader {
			return 0, 0, errNoFrame
		}
		header := int(data[at]) | int(data[at+1])<<8 | int(data[at+2])<<16
		at += blockHeader
		last = header&1 != 0
		body := header >> 3
		if body > blockMax {
			return 0, 0, errNoFrame
		}
		switch header >> 1 & 3 {
		case 0, 2: // raw, compressed
		case 1: // one byte, repeated
			body = 1
		default:
			return 0, 0, errNoFrame
		}
		if len(data)-at < body {
			return 0, 0, errNoFrame
		}
		at += body
	}
	if h.HasCheckSum {
		if len(data)-at < checksum {
			return 0, 0, errNoFrame
		}
		at += checksum
	}
	size = min(blocks*blockMax, maxFrame)
	if h.HasFCS {
		size = min(size, int(h.FrameContentSize))
	}
	return at, size, nil
}
