package tlsbio

import (
	"crypto/tls"
	"errors"
	"net"
	"reflect"
	"strings"
)

// Error is a session or a config that failed, in OpenSSL's terms as far as they
// are known.
type Error struct {
	Library string // "" is SSL
	Reason  string // e.g. "WRONG_VERSION_NUMBER", "" if there is none
	Text    string
}

func (e *Error) Error() string { return "tls: " + e.Text }

// explain puts an error of crypto/tls into OpenSSL's words.
func explain(err error, server bool) error {
	if own := (*Error)(nil); errors.As(err, &own) {
		return own
	}
	if verify := (*VerifyError)(nil); errors.As(err, &verify) {
		return verify
	}
	if errors.Is(err, errRefusedHello) {
		return &Error{Reason: "CALLBACK_FAILED", Text: "callback failed"}
	}
	if op := (*net.OpError)(nil); errors.As(err, &op) {
		if number, ok := alertNumber(op.Err); ok && op.Op == "remote error" {
			return alertError(number)
		} else if ok {
			return localError(number, err)
		}
	}
	if header := (tls.RecordHeaderError{}); errors.As(err, &header) {
		return headerError(&header, server)
	}
	text := strings.TrimPrefix(err.Error(), "tls: ")
	for _, known := range reasons {
		if strings.Contains(text, known.part) {
			return &Error{Reason: known.reason, Text: strings.ToLower(strings.ReplaceAll(known.reason, "_", " "))}
		}
	}
	return &Error{Text: text}
}

// reasons are OpenSSL's for what crypto/tls says.
var reasons = []struct{ part, reason string }{
	{"server selected unsupported protocol version", "UNSUPPORTED_PROTOCOL"},
	{"client offered only unsupported versions", "UNSUPPORTED_PROTOCOL"},
	{"no supported versions satisfy", "NO_PROTOCOLS_AVAILABLE"},
	{"no cipher suite supported by both", "NO_SHARED_CIPHER"},
	{"no certificates configured", "NO_SHARED_CIPHER"},
	{"client didn't provide a certificate", "PEER_DID_NOT_RETURN_A_CERTIFICATE"},
	{"server chose an unconfigured cipher suite", "WRONG_CIPHER_RETURNED"},
	{"received unexpected handshake message", "UNEXPECTED_MESSAGE"},
	{"invalid signature by", "BAD_SIGNATURE"},
	{"Finished message is incorrect", "DIGEST_CHECK_FAILED"},
	{"Finished message was incorrect", "DIGEST_CHECK_FAILED"},
	{"finished hash", "DIGEST_CHECK_FAILED"},
	{"protocol is shutdown", "PROTOCOL_IS_SHUTDOWN"},
	{"inappropriate protocol fallback", "INAPPROPRIATE_FALLBACK"},
	{"exceeds maximum of", "EXCESSIVE_MESSAGE_SIZE"},
	{"too many ignored records", "TOO_MANY_WARN_ALERTS"},
	{"no key exchanges supported by both", "NO_SUITABLE_KEY_SHARE"},
	{"server selected unadvertised ALPN", "BAD_EXTENSION"},
	{"server advertised unrequested ALPN", "BAD_EXTENSION"},
}

// alertNumber is the number of an alert of crypto/tls, whose type has no name
// outside of it.
func alertNumber(err error) (uint8, bool) {
	if v := reflect.ValueOf(err); v.IsValid() && v.Kind() == reflect.Uint8 {
		return uint8(v.Uint()), true
	}
	return 0, false
}

// alerts are OpenSSL's names of those that a peer sends: with the prefix of the
// version that brought them.
var alerts = map[uint8]string{
	10: "SSLV3_ALERT_UNEXPECTED_MESSAGE", 20: "SSLV3_ALERT_BAD_RECORD_MAC", 21: "TLSV1_ALERT_DECRYPTION_FAILED",
	22: "TLSV1_ALERT_RECORD_OVERFLOW", 30: "SSLV3_ALERT_DECOMPRESSION_FAILURE", 40: "SSLV3_ALERT_HANDSHAKE_FAILURE",
	41: "SSLV3_ALERT_NO_CERTIFICATE", 42: "SSLV3_ALERT_BAD_CERTIFICATE", 43: "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
	44: "SSLV3_ALERT_CERTIFICATE_REVOKED", 45: "SSLV3_ALERT_CERTIFICATE_EXPIRED", 46: "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
	47: "SSLV3_ALERT_ILLEGAL_PARAMETER", 48: "TLSV1_ALERT_UNKNOWN_CA", 49: "TLSV1_ALERT_ACCESS_DENIED",
	50: "TLSV1_ALERT_DECODE_ERROR", 51: "TLSV1_ALERT_DECRYPT_ERROR", 60: "TLSV1_ALERT_EXPORT_RESTRICTION",
	70: "TLSV1_ALERT_PROTOCOL_VERSION", 71: "TLSV1_ALERT_INSUFFICIENT_SECURITY", 80: "TLSV1_ALERT_INTERNAL_ERROR",
	86: "TLSV1_ALERT_INAPPROPRIATE_FALLBACK", 90: "TLSV1_ALERT_USER_CANCELLED", 100: "TLSV1_ALERT_NO_RENEGOTIATION",
	109: "TLSV13_ALERT_MISSING_EXTENSION", 110: "TLSV1_UNSUPPORTED_EXTENSION", 111: "TLSV1_CERTIFICATE_UNOBTAINABLE",
	112: "TLSV1_UNRECOGNIZED_NAME", 113: "TLSV1_BAD_CERTIFICATE_STATUS_RESPONSE", 114: "TLSV1_BAD_CERTIFICATE_HASH_VALUE",
	115: "TLSV1_ALERT_UNKNOWN_PSK_IDENTITY", 116: "TLSV13_ALERT_CERTIFICATE_REQUIRED", 120: "TLSV1_ALERT_NO_APPLICATION_PROTOCOL",
}

// alertError is a peer that ended the session with an alert.
func alertError(number uint8) error {
	reason := alerts[number]
	if reason == "" {
		return &Error{Text: "the peer sent an alert of an unknown kind"}
	}
	text := strings.ToLower(strings.ReplaceAll(reason, "_", " "))
	return &Error{Reason: reason, Text: text}
}

// localError is a session that this end ended with an alert.
func localError(number uint8, err error) error {
	switch number {
	case 10:
		return &Error{Reason: "UNEXPECTED_MESSAGE", Text: "unexpected message"}
	case 20:
		return &Error{Reason: "DECRYPTION_FAILED_OR_BAD_RECORD_MAC", Text: "decryption failed or bad record mac"}
	case 22:
		return &Error{Reason: "ENCRYPTED_LENGTH_TOO_LONG", Text: "encrypted length too long"}
	case 50:
		return &Error{Reason: "LENGTH_MISMATCH", Text: "length mismatch"}
	}
	text := strings.TrimPrefix(err.Error(), "local error: ")
	return &Error{Text: strings.TrimPrefix(text, "tls: ")}
}

// headerError is a record that is none.
func headerError(e *tls.RecordHeaderError, server bool) error {
	start := string(e.RecordHeader[:])
	if server {
		for _, method := range []string{"GET ", "POST ", "HEAD ", "PUT "} {
			if strings.HasPrefix(start, method) {
				return &Error{Reason: "HTTP_REQUEST", Text: "http request"}
			}
		}
	}
	if strings.HasPrefix(e.Msg, "oversized record") {
		return &Error{Reason: "ENCRYPTED_LENGTH_TOO_LONG", Text: "encrypted length too long"}
	}
	return &Error{Reason: "WRONG_VERSION_NUMBER", Text: "wrong version number"}
}
