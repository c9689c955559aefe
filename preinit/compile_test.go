package preinit

import (
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func reply(status uint32, data string) []byte {
	out := binary.LittleEndian.AppendUint32(nil, status)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(data)))
	return append(out, data...)
}

// However the guest's output is divided into writes, replies go to the sources
// they belong to.
func TestReplies(t *testing.T) {
	stream := append(append(reply(0, "first"), reply(1, "SyntaxError: no")...), reply(0, "")...)
	for size := 1; size <= len(stream); size++ {
		finished := 0
		r := &replyReader{results: make([]Compiled, 6), want: []int{1, 3, 5}, finished: func() { finished++ }}
		for rest := stream; len(rest) > 0; {
			n := min(size, len(rest))
			if _, err := r.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if finished != 3 || len(r.want) != 0 || len(r.pending) != 0 {
			t.Fatalf("writes of %d bytes: %d finished, %v wanted, %q pending", size, finished, r.want, r.pending)
		}
		if diff := cmp.Diff("first", string(r.results[1].Pyc)); diff != "" || r.results[3].Err == nil || r.results[5].Pyc == nil {
			t.Errorf("writes of %d bytes: results %v", size, r.results)
		}
		if _, err := r.Write(reply(0, "too many")); err == nil {
			t.Error("a reply that nothing asked for was accepted")
		}
	}
}
