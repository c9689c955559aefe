package network

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/textproto"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/proxy"
)

// dialProxy connects to an address by way of a proxy, which is told the address
// and not a name: what was checked is what is reached.
func (n *Net) dialProxy(ctx context.Context, through *url.URL, to netip.AddrPort) (_ net.Conn, err error) {
	port, ok := map[string]string{"http": "80", "https": "443", "socks5": "1080"}[through.Scheme]
	if !ok {
		return nil, fmt.Errorf("its scheme is %q, and none of http, https, socks5", through.Scheme)
	}
	if through.Hostname() == "" {
		return nil, errors.New("its URL names no host")
	}
	if given := through.Port(); given != "" {
		port = given
	}
	conn, err := n.config.Dial(ctx, "tcp", net.JoinHostPort(through.Hostname(), port))
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer func() {
		if !stop() && err == nil {
			err = context.Cause(ctx) // the deadline is being set
		}
		if err != nil {
			_ = conn.Close()
		}
	}()
	if through.Scheme == "socks5" {
		return conn, shakeSOCKS(ctx, conn, through.User, to)
	}
	if through.Scheme == "https" {
		secure := tls.Client(conn, &tls.Config{ServerName: through.Hostname(), RootCAs: n.config.RootCAs, MinVersion: tls.VersionTLS12})
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		return shakeConnect(secure, through.User, to)
	}
	return shakeConnect(conn, through.User, to)
}

// shakeSOCKS has a proxy connect by SOCKS5 (RFC 1928, RFC 1929).
func shakeSOCKS(ctx context.Context, conn net.Conn, user *url.Userinfo, to netip.AddrPort) error {
	var auth *proxy.Auth
	if user != nil {
		password, _ := user.Password()
		auth = &proxy.Auth{User: user.Username(), Password: password}
	}
	client, err := proxy.SOCKS5("tcp", "", auth, nil)
	if err != nil {
		return err
	}
	shaker, ok := client.(interface {
		DialWithConn(ctx context.Context, conn net.Conn, network, address string) (net.Addr, error)
	})
	if !ok {
		return fmt.Errorf("a %T makes no connection of one that is there", client)
	}
	_, err = shaker.DialWithConn(ctx, conn, "tcp", to.String())
	return err
}

// shakeConnect has a proxy connect by HTTP's CONNECT (RFC 9110, section 9.3.6).
func shakeConnect(conn net.Conn, user *url.Userinfo, to netip.AddrPort) (net.Conn, error) {
	request := "CONNECT " + to.String() + " HTTP/1.1\r\nHost: " + to.String() + "\r\n"
	if user != nil {
		password, _ := user.Password()
		credentials := base64.StdEncoding.EncodeToString([]byte(user.Username() + ":" + password))
		request += "Proxy-Authorization: Basic " + credentials + "\r\n"
	}
	if _, err := io.WriteString(conn, request+"\r\n"); err != nil {
		return nil, err
	}
	return readConnect(conn)
}

// maxConnectHead bounds a proxy's answer, in bytes.
const maxConnectHead = 16 << 10

// readConnect reads a proxy's answer. What follows it is the peer's.
func readConnect(conn net.Conn) (net.Conn, error) {
	limited := &io.LimitedReader{R: conn, N: maxConnectHead}
	buffered := bufio.NewReaderSize(limited, maxConnectHead)
	head := textproto.NewReader(buffered)
	status, err := head.ReadLine()
	if err == nil {
		_, err = head.ReadMIMEHeader()
	}
	switch {
	case err != nil && limited.N <= 0:
		return nil, fmt.Errorf("its answer has more than %d bytes", maxConnectHead)
	case errors.Is(err, io.EOF):
		return nil, errors.New("it closed the connection")
	case err != nil:
		return nil, err
	}
	version, rest, _ := strings.Cut(status, " ")
	if !strings.HasPrefix(version, "HTTP/1.") {
		return nil, fmt.Errorf("its answer is not HTTP: %q", clip(status))
	}
	if !strings.HasPrefix(rest, "2") {
		return nil, fmt.Errorf("it answered %q", clip(rest))
	}
	if buffered.Buffered() == 0 {
		return conn, nil
	}
	early, err := buffered.Peek(buffered.Buffered())
	if err != nil {
		return nil, err
	}
	return &tunnel{Conn: conn, early: early}, nil
}

// tunnel is a connection of which some was read before it began.
type tunnel struct {
	net.Conn
	mu    sync.Mutex
	early []byte
}

func (t *tunnel) Read(p []byte) (int, error) {
	t.mu.Lock()
	n := copy(p, t.early)
	t.early = t.early[n:]
	t.mu.Unlock()
	if n > 0 {
		return n, nil
	}
	return t.Conn.Read(p)
}

// CloseWrite implements what [Conn.CloseWrite] looks for.
func (t *tunnel) CloseWrite() error {
	if half, ok := t.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}
