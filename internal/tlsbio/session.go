package tlsbio

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"iter"
)

// What a session can say instead of doing what it was asked.
var (
	// ErrInput says that more of the peer's ciphertext is needed.
	ErrInput = errors.New("tls: more of the peer's ciphertext is needed")
	// ErrHello says that a server knows which name the client wants, and has to
	// be given a [Session.Answer].
	ErrHello = errors.New("tls: the client has said which server it wants")
	// ErrClosed says that the peer ended the session properly.
	ErrClosed = errors.New("tls: the peer has closed the session")
	// ErrTruncated says that the ciphertext ended without the session's end.
	ErrTruncated = errors.New("tls: the connection ended before the session did")
)

// Hello is what a client tells before the server says anything.
type Hello struct {
	Name   string   `json:"name"`
	Suites []uint16 `json:"suites"`
}

// Session is one end of a TLS session. It is used by one goroutine at a time,
// and has to be closed.
type Session struct {
	policy Policy
	config Config
	verify *verifier
	conn   *tls.Conn
	transport

	// The handshake; nil when it is over, or has not begun.
	resume func() (error, bool)
	stop   func()
	begun  bool
	done   bool
	failed error

	// yield leaves the handshake; it reports whether to go on.
	yield  func(error) bool
	hello  Hello
	answer *Config
	alert  uint8

	verified [][]*x509.Certificate
	filter   Filter
	plain    []byte // decrypted and not yet read
	closed   bool   // by the peer
	finished bool   // by this end
}

// New makes a session. authorities are those that the config names, or nil.
func New(policy Policy, config Config, authorities *Authorities) (*Session, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	s := &Session{policy: policy, config: config}
	tc, err := s.settings(&config)
	if err != nil {
		return nil, err
	}
	s.verify = newVerifier(&s.policy, &s.config, authorities)
	if config.Server {
		s.conn = tls.Server(&s.transport, tc)
	} else {
		s.conn = tls.Client(&s.transport, tc)
	}
	return s, nil
}

// Close ends the session without telling the peer. It can be called twice.
func (s *Session) Close() {
	if s.stop != nil {
		s.stop()
		s.resume, s.stop = nil, nil
	}
	if s.failed == nil {
		s.failed = &Error{Reason: "UNINITIALIZED", Text: "the session is closed"}
	}
	s.input, s.consumed, s.output, s.plain = nil, 0, nil, nil
}

// Give adds to the peer's ciphertext and says how much of p there was room for.
func (s *Session) Give(p []byte) int { return s.give(p) }

// End says that there will be no more of the peer's ciphertext.
func (s *Session) End() { s.ended = true }

// Take gives all the ciphertext that there is for the peer. It is valid until
// the session is used again.
func (s *Session) Take() []byte { return s.take() }

// Rest gives the ciphertext that was not read, once: what follows the end of
// the session is not of it.
func (s *Session) Rest() []byte {
	rest := s.input[s.consumed:]
	s.input, s.consumed = nil, 0
	return rest
}

// Handshake goes on with the handshake, and returns nil when it is done.
func (s *Session) Handshake() error {
	if s.done || s.failed != nil {
		return s.failed
	}
	if !s.begun {
		s.begun = true
		s.resume, s.stop = iter.Pull(s.handshake)
	}
	if reason, more := s.resume(); more {
		return reason
	}
	s.resume, s.stop = nil, nil
	if s.failed == nil {
		s.complete()
	}
	return s.failed
}

// handshake is the coroutine. It yields what it needs.
func (s *Session) handshake(yield func(error) bool) {
	s.yield = yield
	s.wait = func() bool { return yield(ErrInput) }
	defer func() { s.yield, s.wait = nil, nil }()
	// The background's context costs no goroutine.
	if err := s.conn.HandshakeContext(context.Background()); err != nil {
		s.failed = s.translate(err)
	}
}

// ClientHello is what the client said, to a server that asked for it.
func (s *Session) ClientHello() Hello { return s.hello }

// Answer has the handshake go on after [ErrHello]: with another config, with the
// same one if that is nil, or ended by an alert that is not 0.
func (s *Session) Answer(config *Config, authorities *Authorities, alert uint8) error {
	if config != nil {
		if err := config.check(); err != nil {
			return err
		}
		config.Server, config.Ask = true, true
		if _, err := s.settings(config); err != nil {
			return err
		}
		s.config = *config
		s.verify = newVerifier(&s.policy, &s.config, authorities)
	}
	s.answer, s.alert = config, alert
	return nil
}

// complete is called when the handshake is done.
func (s *Session) complete() {
	s.done = true
	if s.policy.Filter != nil && !s.config.Server {
		verified := s.verify.byHost(s.conn.ConnectionState().PeerCertificates)
		name := ""
		if verified {
			name = s.config.Name
		}
		s.filter = s.policy.Filter(name, verified)
	}
}

// ready returns nil when the handshake is done, which is gone on with here.
func (s *Session) ready() error {
	if s.done && s.failed == nil {
		return nil
	}
	return s.Handshake()
}

// Read reads plaintext: as much as there is, at least a byte.
func (s *Session) Read(p []byte) (int, error) {
	if err := s.ready(); err != nil {
		return 0, err
	}
	if len(p) == 0 {
		return 0, nil
	}
	n := copy(p, s.plain)
	s.plain = s.plain[:copy(s.plain, s.plain[n:])]
	for s.filter == nil && n < len(p) {
		m, err := s.conn.Read(p[n:])
		n += m
		if err != nil {
			return n, s.unlessSome(n, err)
		}
	}
	for n == 0 {
		err := s.decrypt()
		n = copy(p, s.plain)
		s.plain = s.plain[:copy(s.plain, s.plain[n:])]
		if err != nil {
			return n, s.unlessSome(n, err)
		}
	}
	return n, nil
}

func (s *Session) unlessSome(n int, err error) error {
	if n > 0 {
		return nil // crypto/tls says it again
	}
	return s.translate(err)
}

// Readable is what a read gives at most for now, in bytes: room for more is of
// no use.
func (s *Session) Readable() int {
	return len(s.plain) + len(s.input) - s.consumed + maxRecord
}

// Pending is how much plaintext can be read without more ciphertext, in bytes.
func (s *Session) Pending() int {
	if !s.done || s.failed != nil {
		return 0
	}
	for len(s.plain) < maxInput && s.decrypt() == nil {
	}
	return len(s.plain)
}

// decrypt adds a record to the plaintext, through the filter.
func (s *Session) decrypt() error {
	start := len(s.plain)
	s.plain = append(s.plain, make([]byte, maxRecord)...)
	n, err := s.conn.Read(s.plain[start:])
	if s.filter == nil {
		s.plain = s.plain[:start+n]
		return err
	}
	over := err != nil && !errors.Is(err, errNoInput)
	seen := s.filter.Incoming(s.plain[start:start+n:start+n], over && !s.closed)
	s.closed = s.closed || over
	s.plain = append(s.plain[:start], seen...)
	if len(s.plain) == start && errors.Is(err, errNoInput) && s.filter.Held() <= 0 {
		s.plain = append(s.plain, s.filter.Release()...)
	}
	return err
}

// Held is how long what a filter holds back waits for more; 0 for nothing.
func (s *Session) Held() int64 {
	if s.filter == nil || len(s.plain) > 0 {
		return 0
	}
	return max(int64(s.filter.Held()), 0)
}

// Write encrypts p. How much of it was taken is less where the ciphertext that
// nobody took is as much as is kept.
func (s *Session) Write(p []byte) (int, error) {
	if err := s.ready(); err != nil {
		return 0, err
	}
	if s.finished {
		return 0, &Error{Reason: "PROTOCOL_IS_SHUTDOWN", Text: "protocol is shutdown"}
	}
	p = p[:min(len(p), max(maxOutput-len(s.output), 0))]
	plain := p
	if s.filter != nil {
		var err error
		if plain, err = s.filter.Outgoing(p); err != nil {
			s.failed = &Error{Reason: "REFUSED", Text: err.Error()}
			return 0, s.failed
		}
	}
	if len(plain) > 0 {
		if _, err := s.conn.Write(plain); err != nil {
			return 0, s.translate(err)
		}
	}
	return len(p), nil
}

// Finish tells the peer that nothing more will be written.
func (s *Session) Finish() error {
	if s.finished {
		return nil
	}
	if !s.done {
		return &Error{Reason: "SHUTDOWN_WHILE_IN_INIT", Text: "shutdown while in init"}
	}
	s.finished = true
	if s.filter != nil {
		if rest := s.filter.Finish(); len(rest) > 0 {
			if _, err := s.conn.Write(rest); err != nil {
				return s.translate(err)
			}
		}
	}
	if err := s.conn.CloseWrite(); err != nil {
		return s.translate(err)
	}
	return nil
}

// translate makes what crypto/tls returns an error of this package.
func (s *Session) translate(err error) error {
	switch {
	case errors.Is(err, errNoInput):
		return ErrInput
	case errors.Is(err, errTruncated), errors.Is(err, io.ErrUnexpectedEOF):
		return ErrTruncated
	case errors.Is(err, io.EOF):
		return ErrClosed
	}
	return explain(err, s.config.Server)
}
