package wasi

import (
	"context"
	"errors"
	"net/netip"
	"sync"

	"github.com/eryx-build/eryx/internal/abi"
	"github.com/eryx-build/eryx/internal/network"
	"github.com/eryx-build/eryx/internal/wasi/bindings"
)

// tcpState is how far a socket has got. The guest alone moves it on.
type tcpState uint8

const (
	tcpNew        tcpState = iota
	tcpBinding             // start-bind
	tcpBound               // finish-bind
	tcpConnecting          // start-connect
	tcpConnected           // finish-connect
	tcpFailed              // finish-connect
	tcpLost                // it was connected in the session that this one was copied from
)

// tcpSocket is the resource tcp-socket.
type tcpSocket struct {
	family  bindings.IPAddressFamily
	state   tcpState
	remote  netip.AddrPort // once it connects
	options tcpOptions
	// connection is there from tcpConnected on.
	connection *connection
	dial       *dial // of tcpConnecting
}

func (*tcpSocket) resource() string { return "tcp-socket" }
func (*tcpSocket) origin() string   { return "" }
func (s *tcpSocket) describe() string {
	if s.remote.IsValid() {
		return "a connection to " + s.remote.String()
	}
	return "a socket"
}

func (s *tcpSocket) drop() {
	if s.dial != nil {
		s.dial.abandon()
	}
	if s.connection != nil {
		s.connection.close()
	}
}

// dial is a connection that a goroutine establishes.
type dial struct {
	bell   *bell
	cancel context.CancelFunc

	mu        sync.Mutex
	done      bool
	abandoned bool
	conn      *network.Conn
	err       error
}

// run dials. Where nobody waits for the connection any more, it is closed.
func (d *dial) run(ctx context.Context, via *network.Net, to netip.AddrPort) {
	var conn *network.Conn
	_, err := careful(func() (_ int, err error) {
		conn, err = via.Dial(ctx, to)
		return 0, err
	})
	if err != nil {
		conn = nil
	}
	d.mu.Lock()
	d.done, d.err = true, err
	if !d.abandoned {
		d.conn, conn = conn, nil
	}
	d.mu.Unlock()
	d.cancel()
	closeQuietly(conn)
	d.bell.ring()
}

// abandon is called when nobody waits for the connection any more.
func (d *dial) abandon() {
	d.mu.Lock()
	d.abandoned = true
	conn := d.conn
	d.conn = nil
	d.mu.Unlock()
	d.cancel()
	closeQuietly(conn)
}

// closeQuietly closes a connection that nobody has used, if it is not nil.
func closeQuietly(conn *network.Conn) {
	if conn != nil {
		_, _ = careful(func() (int, error) { return 0, conn.Close() })
	}
}

// take gives the connection once it is there.
func (d *dial) take() (*network.Conn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case !d.done:
		return nil, bindings.NetworkErrorCodeWouldBlock
	case d.err != nil:
		return nil, networkErrorCode(d.err)
	}
	conn := d.conn
	d.conn = nil
	return conn, nil
}

func (d *dial) ready() <-chan struct{} {
	ch := d.bell.listen()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.done {
		return nil
	}
	return ch
}

// CreateTCPSocket implements wasi:sockets/tcp-create-socket.
func (h *Host) CreateTCPSocket(_ context.Context, family bindings.IPAddressFamily) (bindings.TCPSocket, error) {
	if h.config.Network == nil {
		return 0, bindings.NetworkErrorCodeAccessDenied
	}
	if !h.roomForDescriptor() {
		return 0, bindings.NetworkErrorCodeNewSocketLimit
	}
	return insert[bindings.TCPSocket](h, &tcpSocket{family: family, options: defaultTCPOptions})
}

// TCPSocketStartConnect implements wasi:sockets/tcp.
func (h *Host) TCPSocketStartConnect(_ context.Context, self bindings.TCPSocket, via bindings.Network, address bindings.IPSocketAddress) error {
	s, err := lookup[*tcpSocket](h, self)
	if err != nil {
		return err
	}
	if _, err := lookup[*networkHandle](h, via); err != nil {
		return err
	}
	switch s.state {
	case tcpNew, tcpBound:
	case tcpLost:
		return bindings.NetworkErrorCodeConnectionAborted
	default:
		return bindings.NetworkErrorCodeInvalidState
	}
	to := addrPort(address)
	if to.Addr().Is4() != (s.family == bindings.IPAddressFamilyIPv4) || to.Port() == 0 {
		return bindings.NetworkErrorCodeInvalidArgument
	}
	ctx, cancel := context.WithCancel(h.net.ctx)
	s.dial = &dial{bell: &h.net.bell, cancel: cancel}
	s.state, s.remote = tcpConnecting, to
	go s.dial.run(ctx, h.config.Network, to)
	return nil
}

// TCPSocketFinishConnect implements wasi:sockets/tcp.
func (h *Host) TCPSocketFinishConnect(_ context.Context, self bindings.TCPSocket) (streams abi.Tuple2[bindings.InputStream, bindings.OutputStream], err error) {
	s, err := lookup[*tcpSocket](h, self)
	if err != nil {
		return streams, err
	}
	switch s.state {
	case tcpConnecting:
	case tcpLost:
		return streams, bindings.NetworkErrorCodeConnectionAborted
	default:
		return streams, bindings.NetworkErrorCodeNotInProgress
	}
	if !h.room(2) {
		return streams, bindings.NetworkErrorCodeNewSocketLimit
	}
	conn, err := s.dial.take()
	if errors.Is(err, bindings.NetworkErrorCodeWouldBlock) {
		return streams, err
	}
	s.dial = nil
	if err != nil {
		s.state = tcpFailed
		return streams, err
	}
	s.state = tcpConnected
	s.connection = h.net.connection(conn)
	s.connection.filter = h.filter(conn)
	s.connection.begin(3)
	what := s.remote.String()
	if streams.F0, err = h.newInputStream(s.connection, what); err != nil {
		return streams, err
	}
	streams.F1, err = h.newOutputStream(s.connection, what)
	return streams, err
}

// TCPSocketLocalAddress implements wasi:sockets/tcp. Which addresses the host has
// is not told, only the port; but for a connection within the host.
func (h *Host) TCPSocketLocalAddress(_ context.Context, self bindings.TCPSocket) (bindings.IPSocketAddress, error) {
	s, err := lookup[*tcpSocket](h, self)
	if err != nil {
		return bindings.IPSocketAddress{}, err
	}
	switch s.state {
	case tcpNew, tcpBinding:
		return bindings.IPSocketAddress{}, bindings.NetworkErrorCodeInvalidState
	case tcpLost:
		return bindings.IPSocketAddress{}, bindings.NetworkErrorCodeConnectionAborted
	}
	address := netip.IPv4Unspecified()
	if s.family == bindings.IPAddressFamilyIPv6 {
		address = netip.IPv6Unspecified()
	}
	var port uint16
	if s.connection != nil {
		port = s.connection.conn.LocalAddr().Port()
		if s.remote.Addr().IsLoopback() {
			address = s.remote.Addr()
		}
	}
	return socketAddress(netip.AddrPortFrom(address, port)), nil
}

// TCPSocketRemoteAddress implements wasi:sockets/tcp.
func (h *Host) TCPSocketRemoteAddress(_ context.Context, self bindings.TCPSocket) (bindings.IPSocketAddress, error) {
	s, err := lookup[*tcpSocket](h, self)
	if err != nil {
		return bindings.IPSocketAddress{}, err
	}
	switch s.state {
	case tcpConnected:
		return socketAddress(s.remote), nil
	case tcpLost:
		return bindings.IPSocketAddress{}, bindings.NetworkErrorCodeConnectionAborted
	}
	return bindings.IPSocketAddress{}, bindings.NetworkErrorCodeInvalidState
}

// TCPSocketSubscribe implements wasi:sockets/tcp: it is ready unless the socket
// is connecting.
func (h *Host) TCPSocketSubscribe(_ context.Context, self bindings.TCPSocket) (bindings.Pollable, error) {
	s, err := lookup[*tcpSocket](h, self)
	if err != nil {
		return 0, err
	}
	return insert[bindings.Pollable](h, &pollable{what: s.describe(), ready: func() <-chan struct{} {
		if s.dial == nil {
			return nil
		}
		return s.dial.ready()
	}})
}

// TCPSocketShutdown implements wasi:sockets/tcp.
func (h *Host) TCPSocketShutdown(_ context.Context, self bindings.TCPSocket, how bindings.ShutdownType) error {
	s, err := lookup[*tcpSocket](h, self)
	if err != nil {
		return err
	}
	switch s.state {
	case tcpConnected:
	case tcpLost:
		return bindings.NetworkErrorCodeConnectionAborted
	default:
		return bindings.NetworkErrorCodeInvalidState
	}
	s.connection.shutdown(how != bindings.ShutdownTypeSend, how != bindings.ShutdownTypeReceive)
	return nil
}

// DropTCPSocket implements wasi:sockets/tcp.
func (h *Host) DropTCPSocket(_ context.Context, self bindings.TCPSocket) error {
	return drop[*tcpSocket](h, self)
}
