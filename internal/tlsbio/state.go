package tlsbio

import "crypto/x509"

// State is what is known of a session whose handshake is done.
type State struct {
	Version  uint16 `json:"version"` // as crypto/tls numbers them
	Suite    uint16 `json:"suite"`
	Protocol string `json:"alpn"` // "" for none
	Resumed  bool   `json:"resumed"`
	// Unique is the binding of RFC 5929, which TLS 1.3 has not.
	Unique []byte `json:"unique"`
	// Sent is what the peer showed, and Verified the chain that was accepted,
	// in DER.
	Sent     [][]byte `json:"sent"`
	Verified [][]byte `json:"verified"`
	// Offered are the suites that the client of a server offered.
	Offered []uint16 `json:"offered"`
}

// State gives what is known, or nil before the handshake is done.
func (s *Session) State() *State {
	if !s.done {
		return nil
	}
	of := s.conn.ConnectionState()
	state := &State{
		Version: of.Version, Suite: of.CipherSuite, Protocol: of.NegotiatedProtocol, Resumed: of.DidResume,
		Unique: of.TLSUnique, Sent: raw(of.PeerCertificates), Offered: s.hello.Suites,
	}
	if len(s.verified) > 0 {
		state.Verified = raw(s.verified[0])
	}
	return state
}

func raw(certificates []*x509.Certificate) [][]byte {
	var der [][]byte
	for _, c := range certificates {
		der = append(der, c.Raw)
	}
	return der
}
