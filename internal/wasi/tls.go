package wasi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/eryx-build/eryx/internal/tlsbio"
	"github.com/eryx-build/eryx/internal/wasi/bindings"
)

// Bounds on what a guest may say of TLS.
const (
	// maxSettings is above what settings with eight identities have.
	maxSettings = 5 << 20
	// maxTrusted is how many sets of authorities a guest's sessions may use at
	// once, each of at most [tlsbio.MaxAuthorities].
	maxTrusted = 16
	// maxPlaintext is how much one call decrypts.
	maxPlaintext = 256 << 10
)

// tlsSessions is what a guest has of TLS.
type tlsSessions struct {
	live int
	// trusted counts the sessions that use a set of authorities.
	trusted map[*tlsbio.Authorities]int
	// plaintext is where sessions decrypt, before it is copied to the guest.
	plaintext []byte
}

// tlsSession is the resource tls-session. One that was lost has no session.
type tlsSession struct {
	of          *Host
	session     *tlsbio.Session
	authorities *tlsbio.Authorities
	failure     error
}

func (*tlsSession) resource() string { return "tls-session" }
func (*tlsSession) origin() string   { return "" }
func (*tlsSession) describe() string { return "a TLS session" }
func (s *tlsSession) drop() {
	if s.session == nil {
		return
	}
	s.session.Close()
	s.session = nil
	s.of.tls.live--
	s.of.release(s.authorities)
}

func (h *Host) retain(a *tlsbio.Authorities) bool {
	if a == nil {
		return true
	}
	if h.tls.trusted[a] == 0 && len(h.tls.trusted) == maxTrusted {
		return false
	}
	if h.tls.trusted == nil {
		h.tls.trusted = map[*tlsbio.Authorities]int{}
	}
	h.tls.trusted[a]++
	return true
}

func (h *Host) release(a *tlsbio.Authorities) {
	if a == nil {
		return
	}
	if h.tls.trusted[a]--; h.tls.trusted[a] <= 0 {
		delete(h.tls.trusted, a)
	}
}

// failure is what the guest is told of an error.
type failure struct {
	Library string `json:"library"`
	Reason  string `json:"reason"`
	Text    string `json:"text"`
	// Code is OpenSSL's number for a certificate that is not accepted.
	Code int `json:"code"`
}

func explainTLS(err error) failure {
	var verify *tlsbio.VerifyError
	var own *tlsbio.Error
	switch {
	case errors.As(err, &verify):
		return failure{Library: "SSL", Reason: "CERTIFICATE_VERIFY_FAILED", Text: verify.Text, Code: verify.Code}
	case errors.As(err, &own):
		f := failure{Library: own.Library, Reason: own.Reason, Text: own.Text}
		if f.Library == "" {
			f.Library = "SSL"
		}
		return f
	}
	return failure{Library: "SSL", Text: err.Error()}
}

// inJSON is the text of a value that always has one.
func inJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return "null"
	}
	return string(text)
}

func invalid(err error) error {
	return bindings.Refusal{Case: bindings.RefusalInvalid, Invalid: inJSON(explainTLS(err))}
}

// settings reads what a session is to be, and finds its authorities.
func tlsSettings(text string) (*tlsbio.Config, *tlsbio.Authorities, error) {
	if len(text) > maxSettings {
		return nil, nil, invalid(errors.New("the settings are too long"))
	}
	var config tlsbio.Config
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&config); err != nil {
		return nil, nil, invalid(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, invalid(errors.New("the settings go on after their end"))
	}
	if config.Authorities == "" {
		return &config, nil, nil
	}
	authorities := tlsbio.LookupAuthorities(config.Authorities)
	if authorities == nil {
		return nil, nil, bindings.Refusal{Case: bindings.RefusalUnknownAuthorities}
	}
	return &config, authorities, nil
}

// OpenSession implements eryx:sandbox/tls.
func (h *Host) OpenSession(_ context.Context, settings string) (bindings.TLSSession, error) {
	most := h.config.TLS.Sessions
	if most <= 0 {
		most = tlsbio.DefaultSessions
	}
	tooMany := bindings.Refusal{Case: bindings.RefusalTooMany}
	if h.tls.live >= most || !h.room(1) {
		return 0, tooMany
	}
	config, authorities, err := tlsSettings(settings)
	if err != nil {
		return 0, err
	}
	if !h.retain(authorities) {
		return 0, tooMany
	}
	session, err := tlsbio.New(h.config.TLS, *config, authorities)
	if err != nil {
		h.release(authorities)
		return 0, invalid(err)
	}
	h.tls.live++
	return insert[bindings.TLSSession](h, &tlsSession{of: h, session: session, authorities: authorities})
}

// TrustAuthorities implements eryx:sandbox/tls.
func (h *Host) TrustAuthorities(_ context.Context, certificates []byte) (string, error) {
	authorities, err := tlsbio.NewAuthorities(certificates)
	if err != nil {
		return "", invalid(err)
	}
	return authorities.Digest(), nil
}

// CheckIdentity implements eryx:sandbox/tls.
func (h *Host) CheckIdentity(_ context.Context, chain, key string) (string, error) {
	if err := (&tlsbio.Identity{Chain: chain, Key: key}).Check(); err != nil {
		return inJSON(explainTLS(err)), nil
	}
	return "", nil
}

// DescribeCertificate implements eryx:sandbox/tls.
func (h *Host) DescribeCertificate(_ context.Context, der []byte) (string, error) {
	c, err := tlsbio.Describe(der)
	if err != nil {
		return inJSON(map[string]failure{"failure": explainTLS(err)}), nil
	}
	return inJSON(c), nil
}

// tlsSession is the session of a handle; with its error if it was lost.
func (h *Host) tlsSession(self bindings.TLSSession) (*tlsSession, error) {
	s, err := lookup[*tlsSession](h, self)
	if err == nil && s.session == nil {
		err = bindings.ConditionLost
	}
	return s, err
}

// condition is what the guest is told instead of a result.
func (s *tlsSession) condition(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, tlsbio.ErrInput):
		return bindings.ConditionWantInput
	case errors.Is(err, tlsbio.ErrHello):
		return bindings.ConditionHello
	case errors.Is(err, tlsbio.ErrClosed):
		return bindings.ConditionClosed
	case errors.Is(err, tlsbio.ErrTruncated):
		return bindings.ConditionTruncated
	}
	s.failure = err
	return bindings.ConditionFailed
}

// TLSSessionHandshake implements eryx:sandbox/tls.
func (h *Host) TLSSessionHandshake(_ context.Context, self bindings.TLSSession) error {
	s, err := h.tlsSession(self)
	if err != nil {
		return err
	}
	return s.condition(s.session.Handshake())
}

// TLSSessionAnswer implements eryx:sandbox/tls.
func (h *Host) TLSSessionAnswer(_ context.Context, self bindings.TLSSession, settings string, alert uint8) error {
	s, err := h.tlsSession(self)
	if err != nil || settings == "" {
		if errors.Is(err, bindings.ConditionLost) {
			return invalid(errGone)
		} else if err != nil {
			return err
		}
		return s.session.Answer(nil, nil, alert)
	}
	config, authorities, err := tlsSettings(settings)
	if err != nil {
		return err
	}
	if !h.retain(authorities) {
		return bindings.Refusal{Case: bindings.RefusalTooMany}
	}
	if err := s.session.Answer(config, authorities, alert); err != nil {
		h.release(authorities)
		return invalid(err)
	}
	h.release(s.authorities)
	s.authorities = authorities
	return nil
}

// notLost leaves out that a session was lost, where a function cannot say so.
func notLost(err error) error {
	if errors.Is(err, bindings.ConditionLost) {
		return nil
	}
	return err
}

// TLSSessionGive implements eryx:sandbox/tls. What is given to a lost session
// goes with it.
func (h *Host) TLSSessionGive(_ context.Context, self bindings.TLSSession, ciphertext []byte) (uint32, error) {
	s, err := h.tlsSession(self)
	if err != nil {
		return uint32(len(ciphertext)), notLost(err)
	}
	return uint32(s.session.Give(ciphertext)), nil
}

// TLSSessionEnd implements eryx:sandbox/tls.
func (h *Host) TLSSessionEnd(_ context.Context, self bindings.TLSSession) error {
	s, err := h.tlsSession(self)
	if err != nil {
		return notLost(err)
	}
	s.session.End()
	return nil
}

// TLSSessionTake implements eryx:sandbox/tls.
func (h *Host) TLSSessionTake(_ context.Context, self bindings.TLSSession) ([]byte, error) {
	s, err := h.tlsSession(self)
	if err != nil {
		return nil, notLost(err)
	}
	return s.session.Take(), nil
}

// TLSSessionRead implements eryx:sandbox/tls.
func (h *Host) TLSSessionRead(_ context.Context, self bindings.TLSSession, size uint32) ([]byte, error) {
	s, err := h.tlsSession(self)
	if err != nil {
		return nil, err
	}
	most := min(int(min(size, maxPlaintext)), s.session.Readable())
	if len(h.tls.plaintext) < most {
		h.tls.plaintext = make([]byte, most)
	}
	n, err := s.session.Read(h.tls.plaintext[:most])
	return h.tls.plaintext[:n], s.condition(err)
}

// TLSSessionWrite implements eryx:sandbox/tls.
func (h *Host) TLSSessionWrite(_ context.Context, self bindings.TLSSession, plaintext []byte) (uint32, error) {
	s, err := h.tlsSession(self)
	if err != nil {
		return 0, err
	}
	n, err := s.session.Write(plaintext)
	return uint32(n), s.condition(err)
}

// TLSSessionPending implements eryx:sandbox/tls.
func (h *Host) TLSSessionPending(_ context.Context, self bindings.TLSSession) (uint32, error) {
	s, err := h.tlsSession(self)
	if err != nil {
		return 0, notLost(err)
	}
	return uint32(s.session.Pending()), nil
}

// TLSSessionHeld implements eryx:sandbox/tls.
func (h *Host) TLSSessionHeld(_ context.Context, self bindings.TLSSession) (uint64, error) {
	s, err := h.tlsSession(self)
	if err != nil {
		return 0, notLost(err)
	}
	return uint64(s.session.Held()), nil
}

// TLSSessionFinish implements eryx:sandbox/tls.
func (h *Host) TLSSessionFinish(_ context.Context, self bindings.TLSSession) error {
	s, err := h.tlsSession(self)
	if err != nil {
		return err
	}
	return s.condition(s.session.Finish())
}

// TLSSessionRest implements eryx:sandbox/tls.
func (h *Host) TLSSessionRest(_ context.Context, self bindings.TLSSession) ([]byte, error) {
	s, err := h.tlsSession(self)
	if err != nil {
		return nil, notLost(err)
	}
	return s.session.Rest(), nil
}

// TLSSessionDescribe implements eryx:sandbox/tls.
func (h *Host) TLSSessionDescribe(_ context.Context, self bindings.TLSSession) (string, error) {
	s, err := h.tlsSession(self)
	if err != nil {
		return "null", notLost(err)
	}
	if state := s.session.State(); state != nil {
		return inJSON(state), nil
	}
	return inJSON(s.session.ClientHello()), nil
}

// TLSSessionExplain implements eryx:sandbox/tls.
func (h *Host) TLSSessionExplain(_ context.Context, self bindings.TLSSession) (string, error) {
	s, err := lookup[*tlsSession](h, self)
	switch {
	case err != nil:
		return "", err
	case s.failure == nil:
		return inJSON(failure{Library: "SSL", Text: "nothing is wrong with the session"}), nil
	}
	return inJSON(explainTLS(s.failure)), nil
}

// DropTLSSession implements eryx:sandbox/tls.
func (h *Host) DropTLSSession(_ context.Context, self bindings.TLSSession) error {
	return drop[*tlsSession](h, self)
}
