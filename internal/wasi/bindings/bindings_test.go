package bindings

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx/internal/abi"
	"github.com/eryx-build/eryx/internal/abi/abitest"
	"github.com/eryx-build/eryx/internal/engine"
)

// recorder is a host of the functions whose types are the most intricate, with
// what they were called with and what they give.
type recorder struct {
	Host
	bound  IPSocketAddress
	stream abi.Option[IPSocketAddress]
	sent   []OutgoingDatagram
	times  [2]NewTimestamp
	err    error
}

func (r *recorder) UDPSocketStartBind(_ context.Context, _ UDPSocket, _ Network, address IPSocketAddress) error {
	r.bound = address
	return r.err
}

func (r *recorder) UDPSocketStream(_ context.Context, _ UDPSocket, address abi.Option[IPSocketAddress]) (abi.Tuple2[IncomingDatagramStream, OutgoingDatagramStream], error) {
	r.stream = address
	return abi.Tuple2[IncomingDatagramStream, OutgoingDatagramStream]{F0: 7, F1: 8}, r.err
}

func (r *recorder) OutgoingDatagramStreamSend(_ context.Context, _ OutgoingDatagramStream, datagrams []OutgoingDatagram) (uint64, error) {
	for _, d := range datagrams { // the data are the guest's memory
		d.Data = append([]byte(nil), d.Data...)
		r.sent = append(r.sent, d)
	}
	return uint64(len(datagrams)), r.err
}

func (r *recorder) IncomingDatagramStreamReceive(context.Context, IncomingDatagramStream, uint64) ([]IncomingDatagram, error) {
	return []IncomingDatagram{
		{Data: []byte("one"), RemoteAddress: ipv4},
		{Data: nil, RemoteAddress: ipv6},
	}, r.err
}

func (r *recorder) DescriptorSetTimes(_ context.Context, _ Descriptor, access, modification NewTimestamp) error {
	r.times = [2]NewTimestamp{access, modification}
	return r.err
}

func (r *recorder) DescriptorStat(context.Context, Descriptor) (DescriptorStat, error) {
	return DescriptorStat{
		Type: DescriptorTypeRegularFile, LinkCount: 2, Size: 1 << 40,
		DataModificationTimestamp: abi.Some(Datetime{Seconds: 5, Nanoseconds: 6}),
	}, r.err
}

func (r *recorder) DescriptorOpenAt(_ context.Context, _ Descriptor, pathFlags PathFlags, path string, openFlags OpenFlags, flags DescriptorFlags) (Descriptor, error) {
	if pathFlags != PathFlagsSymlinkFollow || path != "a" || openFlags != OpenFlagsCreate|OpenFlagsTruncate || flags != DescriptorFlagsMutateDirectory {
		return 0, errors.New("the flags are wrong")
	}
	return 9, r.err
}

var (
	ipv4 = IPSocketAddress{Case: IPSocketAddressIPv4, IPv4: IPv4SocketAddress{Port: 443, Address: [4]uint8{192, 0, 2, 1}}}
	ipv6 = IPSocketAddress{Case: IPSocketAddressIPv6, IPv6: IPv6SocketAddress{
		Port: 65535, FlowInfo: 0xfffffffe, Address: [8]uint16{0x2001, 0xdb8, 0, 0, 0, 0, 0, 1}, ScopeID: 3,
	}}
	flat4 = []uint64{0, 443, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0}
	flat6 = []uint64{1, 65535, 0xfffffffe, 0x2001, 0xdb8, 0, 0, 0, 0, 0, 1, 3}
)

const (
	udp   = "wasi:sockets/udp@0.2.0"
	files = "wasi:filesystem/types@0.2.0"
	ret   = 0x100
)

func call(t *testing.T, g *abitest.Guest, module, name string, args ...uint64) error {
	t.Helper()
	functions := Functions(func(g engine.Guest) (Host, error) { return g.Host().(Host), nil })
	for _, f := range functions {
		if f.Module != module || f.Name != name {
			continue
		}
		if len(args) != len(f.Params) {
			t.Fatalf("%s has %d parameters, not %d", name, len(f.Params), len(args))
		}
		for i := range args {
			if f.Params[i] == engine.I32 {
				args[i] |= 0x5555_5555 << 32 // undefined
			}
		}
		return f.Call(t.Context(), g, args)
	}
	t.Fatalf("no function %s#%s", module, name)
	return nil
}

func join(parts ...[]uint64) []uint64 {
	var all []uint64
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

func TestLiftFlatVariants(t *testing.T) {
	r := &recorder{}
	g := abitest.New(1<<16, r)
	for _, tt := range []struct {
		flat []uint64
		want IPSocketAddress
	}{{flat4, ipv4}, {flat6, ipv6}} {
		if err := call(t, g, udp, "[method]udp-socket.start-bind", join([]uint64{1, 2}, tt.flat, []uint64{ret})...); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, r.bound); diff != "" {
			t.Error(diff)
		}
		if err := call(t, g, udp, "[method]udp-socket.stream", join([]uint64{1, 1}, tt.flat, []uint64{ret})...); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(abi.Some(tt.want), r.stream); diff != "" {
			t.Error(diff)
		}
		if g.Bytes[ret] != 0 || g.U32(ret+4) != 7 || g.U32(ret+8) != 8 {
			t.Errorf("the result is % x", g.Bytes[ret:ret+12])
		}
	}
	garbage := []uint64{9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9}
	if err := call(t, g, udp, "[method]udp-socket.stream", join([]uint64{1, 0}, garbage, []uint64{ret})...); err != nil || r.stream.Valid {
		t.Errorf("nothing is lifted as %v, %v", r.stream, err)
	}
	if err := call(t, g, udp, "[method]udp-socket.stream", join([]uint64{1, 1}, garbage, []uint64{ret})...); err == nil {
		t.Error("an address of no family is accepted")
	}

	if err := call(t, g, files, "[method]descriptor.set-times", 1, 2, 1<<63, 999_999_999, 1, 7, 7, ret); err != nil {
		t.Fatal(err)
	}
	want := [2]NewTimestamp{
		{Case: NewTimestampTimestamp, Timestamp: Datetime{Seconds: 1 << 63, Nanoseconds: 999_999_999}}, {Case: NewTimestampNow},
	}
	if diff := cmp.Diff(want, r.times); diff != "" {
		t.Error(diff)
	}
}

func TestLiftLists(t *testing.T) {
	r := &recorder{}
	g := abitest.New(1<<16, r)
	const list, size = 0x200, 44 // data, then an optional address
	g.Put(0x800, "hello")
	g.PutU32(list, 0x800)
	g.PutU32(list+4, 5)
	g.Bytes[list+8] = 0
	second := uint32(list + size)
	g.PutU32(second, 0x801)
	g.PutU32(second+4, 2)
	g.Bytes[second+8] = 1
	g.Bytes[second+12] = 0
	g.PutU32(second+16, 443|192<<16|0<<24)
	g.PutU32(second+20, 2|1<<8)
	if err := call(t, g, udp, "[method]outgoing-datagram-stream.send", 1, list, 2, ret); err != nil {
		t.Fatal(err)
	}
	want := []OutgoingDatagram{{Data: []byte("hello")}, {Data: []byte("el"), RemoteAddress: abi.Some(ipv4)}}
	if diff := cmp.Diff(want, r.sent); diff != "" {
		t.Error(diff)
	}
	if g.Bytes[ret] != 0 || g.U64(ret+8) != 2 {
		t.Errorf("the result is % x", g.Bytes[ret:ret+16])
	}
	g.PutU32(second, 0xfffffff0)
	if err := call(t, g, udp, "[method]outgoing-datagram-stream.send", 1, list, 2, ret); err == nil {
		t.Error("data outside of memory are accepted")
	}
}

func TestLower(t *testing.T) {
	r := &recorder{}
	g := abitest.New(1<<16, r)
	if err := call(t, g, udp, "[method]incoming-datagram-stream.receive", 1, 10, ret); err != nil {
		t.Fatal(err)
	}
	list, n := g.U32(ret+4), g.U32(ret+8)
	if g.Bytes[ret] != 0 || n != 2 || g.Text(list) != "one" || g.Bytes[list+8] != 0 {
		t.Fatalf("the first datagram is % x", g.Bytes[list:list+40])
	}
	if got := g.Bytes[list+12 : list+18]; !cmp.Equal(got, []byte{443 & 0xff, 443 >> 8, 192, 0, 2, 1}) {
		t.Errorf("its address is % x", got)
	}
	second := list + 40
	if g.U32(second+4) != 0 || g.Bytes[second+8] != 1 || g.U32(second+12) != 65535 || g.U32(second+16) != 0xfffffffe || g.U32(second+36) != 3 {
		t.Errorf("the second datagram is % x", g.Bytes[second:second+40])
	}

	if err := call(t, g, files, "[method]descriptor.stat", 1, ret); err != nil {
		t.Fatal(err)
	}
	stat := uint32(ret + 8)
	if g.Bytes[ret] != 0 || g.Bytes[stat] != byte(DescriptorTypeRegularFile) || g.U64(stat+8) != 2 || g.U64(stat+16) != 1<<40 {
		t.Errorf("the stat is % x", g.Bytes[ret:ret+104])
	}
	if g.Bytes[stat+24] != 0 || g.Bytes[stat+48] != 1 || g.U64(stat+56) != 5 || g.U32(stat+64) != 6 || g.Bytes[stat+72] != 0 {
		t.Errorf("the times are % x", g.Bytes[stat+24:stat+96])
	}

	g.Put(0x800, "a")
	if err := call(t, g, files, "[method]descriptor.open-at", 1, 0xffffff01, 0x800, 1, 0xfffffff9, 0xffffffe0, ret); err != nil {
		t.Fatal(err)
	}
	if g.Bytes[ret] != 0 || g.U32(ret+4) != 9 {
		t.Errorf("opening gives % x", g.Bytes[ret:ret+8])
	}
}

func TestErrorsOfTheHost(t *testing.T) {
	r := &recorder{err: FilesystemErrorCodeNoEntry}
	g := abitest.New(1<<16, r)
	if err := call(t, g, files, "[method]descriptor.stat", 1, ret); err != nil || g.Bytes[ret] != 1 || g.Bytes[ret+8] != byte(FilesystemErrorCodeNoEntry) {
		t.Errorf("an error code becomes % x, %v", g.Bytes[ret:ret+16], err)
	}
	if got := FilesystemErrorCodeNoEntry.Error(); got != "no-entry" {
		t.Errorf("the code says %q", got)
	}
	for _, other := range []error{NetworkErrorCodeTimeout, context.Canceled} { // not this function's
		r.err = other
		err := call(t, g, files, "[method]descriptor.stat", 1, ret)
		if named, ok := errors.AsType[*abi.CallError](err); !ok || !errors.Is(err, other) || named.Function != files+"#[method]descriptor.stat" {
			t.Errorf("%v becomes %v", other, err)
		}
	}
}

func BenchmarkCall(b *testing.B) {
	g := abitest.New(1<<16, &recorder{})
	functions := Functions(func(g engine.Guest) (Host, error) { return g.Host().(Host), nil })
	for _, f := range functions {
		if f.Name != "[method]descriptor.stat" {
			continue
		}
		stack := make([]uint64, 2)
		b.ReportAllocs()
		for b.Loop() {
			stack[0], stack[1] = 1, ret
			if err := f.Call(b.Context(), g, stack); err != nil {
				b.Fatal(err)
			}
		}
	}
}
