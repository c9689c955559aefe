package eryx_test

import (
	"testing"

	"github.com/eryx-build/eryx"
	"github.com/eryx-build/eryx/internal/testcert"
)

// tlsFiles are an authority and certificates of it, as files of a sandbox.
func tlsFiles(t testing.TB) *eryx.Files {
	t.Helper()
	ca := testcert.NewAuthority(t, "Test Authority")
	server := ca.Issue(t, nil, "a.example", "127.0.0.1", "::1")
	other := ca.Issue(t, nil, "b.example")
	client := ca.Issue(t, nil, "client.example")
	files := eryx.NewFiles(1 << 20)
	for name, content := range map[string]string{
		"ca.pem": ca.PEM(), "server.pem": server.Chain(), "server.key": server.Key(),
		"other.pem": other.Chain() + other.Key(), "client.pem": client.Chain() + client.Key(),
		"self.pem": testcert.SelfSigned(t, nil, "a.example").Chain(),
	} {
		if err := files.WriteFile("home/user/"+name, []byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// bothSides is Python that has a client and a server in one sandbox.
const bothSides = `
import ssl, sys
class Pair:
    def __init__(self, client, server, name="a.example"):
        c_in, c_out, s_in, s_out = (ssl.MemoryBIO() for _ in range(4))
        self.bios = c_in, c_out, s_in, s_out
        self.client = client.wrap_bio(c_in, c_out, server_hostname=name)
        self.server = server.wrap_bio(s_in, s_out, server_side=True)
    def move(self):
        c_in, c_out, s_in, s_out = self.bios
        moved = c_out.pending + s_out.pending
        s_in.write(c_out.read())
        c_in.write(s_out.read())
        return moved
    def run(self, *calls):
        "Runs functions until each is done; their results, or exceptions."
        results = [None] * len(calls)
        todo = list(range(len(calls)))
        while todo:
            for i in list(todo):
                try:
                    results[i] = calls[i]()
                except ssl.SSLWantReadError:
                    continue
                except Exception as e:
                    results[i] = e
                todo.remove(i)
            if not self.move() and todo:
                for i in todo: results[i] = "waits"
                break
        return results
    def shake(self):
        return self.run(self.client.do_handshake, self.server.do_handshake)
def contexts(**versions):
    c = ssl.create_default_context(cafile="ca.pem")
    s = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    s.load_cert_chain("server.pem", "server.key")
    for name, value in versions.items():
        setattr(c, name, value)
    return c, s
`

func tlsScript(t testing.TB, source string) *eryx.Result {
	t.Helper()
	return mustExecute(t, bothSides+source, &eryx.SandboxConfig{Files: tlsFiles(t)})
}

func TestTLSBothSides(t *testing.T) {
	result := tlsScript(t, `
for version in "TLSv1_2", "TLSv1_3":
    c, s = contexts(maximum_version=ssl.TLSVersion[version])
    c.set_alpn_protocols(["h2", "http/1.1"]); s.set_alpn_protocols(["http/1.1"])
    p = Pair(c, s)
    assert p.client.version() is None and p.client.cipher() is None
    assert p.shake() == [None, None], p.shake()
    assert p.client.version() == p.server.version() == version.replace("_", "."), p.client.version()
    assert p.client.selected_alpn_protocol() == "http/1.1"
    assert p.client.cipher() == p.server.cipher() and p.client.cipher()[2] in (128, 256)
    assert p.client.cipher() in p.server.shared_ciphers() and p.client.shared_ciphers() is None
    cert = p.client.getpeercert()
    assert cert["subject"] == ((("commonName", "a.example"),),), cert
    assert cert["issuer"] == ((("commonName", "Test Authority"),),)
    assert cert["subjectAltName"] == (("DNS", "a.example"), ("IP Address", "127.0.0.1"), ("IP Address", "0:0:0:0:0:0:0:1"))
    assert cert["version"] == 3 and len(cert["serialNumber"]) % 2 == 0
    assert ssl.cert_time_to_seconds(cert["notBefore"]) < ssl.cert_time_to_seconds(cert["notAfter"])
    assert ssl.DER_cert_to_PEM_cert(p.client.getpeercert(True)) == open("server.pem").read()
    assert len(p.client.get_verified_chain()) == 2 and len(p.client.get_unverified_chain()) == 1
    assert p.server.getpeercert() is None and p.server.get_unverified_chain() == []
    assert (p.client.get_channel_binding() is None) == (version == "TLSv1_3")
    assert p.client.get_channel_binding() == p.server.get_channel_binding()
    assert not p.client.session_reused and p.client.session.timeout > 0
    # data, and more than a record
    data = bytes(range(256)) * 1000
    assert p.client.write(data) == len(data) and p.client.write(b"") == 0
    p.move()
    got = bytearray()
    while len(got) < len(data):
        got += p.server.read(100_000)
    assert got == data
    try: p.server.read(1); assert False
    except ssl.SSLWantReadError as e: assert e.errno == 2
    p.server.write(memoryview(b"0123456789"))
    p.move()
    buffer = bytearray(4)
    assert p.client.read(3, buffer) == 3 and buffer == b"012\0", buffer
    assert p.client.read(100, buffer) == 4 and buffer == b"3456"
    assert p.client.pending() >= 3 and p.client.read() == b"789" and p.client.pending() == 0
    # the end, in both directions
    assert p.run(p.client.unwrap, p.server.read) == ["waits", b""]
    assert p.run(p.server.unwrap, p.client.unwrap) == [None, None]
    try: p.client.read(); assert False
    except ssl.SSLZeroReturnError: pass
    try: p.client.write(b"x"); assert False
    except ssl.SSLError as e: assert e.reason == "PROTOCOL_IS_SHUTDOWN", e
result = ssl.OPENSSL_VERSION
`)
	if got := string(result.Value); got != `"OpenSSL 3.0.0 interface over Go crypto/tls"` {
		t.Errorf("result %s", got)
	}
}

// Errors have the types, numbers and words of CPython's.
func TestTLSErrors(t *testing.T) {
	tlsScript(t, `
def refused(c, name="a.example", s=None):
    e = Pair(c, s or contexts()[1], name).shake()[0]
    assert isinstance(e, ssl.SSLCertVerificationError) and isinstance(e, ssl.CertificateError), repr(e)
    assert e.args[0] == e.errno == 1 and e.library == "SSL" and e.reason == "CERTIFICATE_VERIFY_FAILED"
    assert str(e) == "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: " + e.verify_message, str(e)
    return e.verify_code, e.verify_message
c, s = contexts()
assert refused(c, "b.example") == (62, "Hostname mismatch, certificate is not valid for 'b.example'.")
assert refused(c, "127.0.0.2") == (64, "IP address mismatch, certificate is not valid for '127.0.0.2'.")
assert refused(ssl.create_default_context(cafile="self.pem")) == (20, "unable to get local issuer certificate")
assert refused(ssl.create_default_context()) == (20, "unable to get local issuer certificate")
for name in "127.0.0.1", "::1":
    assert Pair(c, s, name).shake() == [None, None]
c.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
assert refused(c) == (3, "unable to get certificate CRL")

# not verified
c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
try: c.verify_mode = ssl.CERT_NONE; assert False
except ValueError: pass
c.check_hostname = False
c.verify_mode = ssl.CERT_NONE
p = Pair(c, s)
assert p.shake() == [None, None] and p.client.getpeercert() == {} and p.client.getpeercert(True)
assert p.client.get_verified_chain() == p.client.get_unverified_chain()

# client certificates
for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
    c, s = contexts(maximum_version=version)
    s.verify_mode = ssl.CERT_REQUIRED
    s.load_verify_locations(cadata=open("ca.pem").read())
    p = Pair(c, s)
    client, server = p.shake()
    assert server.reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE", server
    if client is None:
        client, = p.run(p.client.read)
    assert client.reason in ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "SSLV3_ALERT_HANDSHAKE_FAILURE"), client
    c.load_cert_chain("client.pem")
    p = Pair(c, s)
    assert p.shake() == [None, None], p.shake()
    assert p.server.getpeercert()["subject"] == ((("commonName", "client.example"),),)

# versions and suites
c, s = contexts(minimum_version=ssl.TLSVersion.TLSv1_3)
s.maximum_version = ssl.TLSVersion.TLSv1_2
client, server = Pair(c, s).shake()
assert server.reason == "UNSUPPORTED_PROTOCOL" and client.reason == "TLSV1_ALERT_PROTOCOL_VERSION", (client, server)
c, s = contexts(maximum_version=ssl.TLSVersion.TLSv1_2)
c.set_ciphers("ECDHE+AES256"); s.set_ciphers("CHACHA20:@SECLEVEL=2")
client, server = Pair(c, s).shake()
assert server.reason == "NO_SHARED_CIPHER" and client.reason == "SSLV3_ALERT_HANDSHAKE_FAILURE", (client, server)
c.set_ciphers("CHACHA20")
p = Pair(c, s)
assert p.shake() == [None, None] and p.client.cipher() == ("ECDHE-ECDSA-CHACHA20-POLY1305", "TLSv1.2", 256)
names = [cipher["name"] for cipher in c.get_ciphers()]
assert names[:1] == ["TLS_AES_256_GCM_SHA384"] and names[3:] == ["ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"], names
try: c.set_ciphers("nothing"); assert False
except ssl.SSLError as e: assert str(e) == "('No cipher can be selected.',)", str(e)

# something else than TLS, and ends
p = Pair(*contexts())
p.bios[0].write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
try: p.client.do_handshake(); assert False
except ssl.SSLError as e: assert e.reason == "WRONG_VERSION_NUMBER" and str(e) == "[SSL: WRONG_VERSION_NUMBER] wrong version number"
p = Pair(*contexts())
p.bios[0].write_eof()
try: p.client.do_handshake(); assert False
except ssl.SSLEOFError as e: assert e.errno == ssl.SSL_ERROR_EOF and e.reason == "UNEXPECTED_EOF_WHILE_READING"
p = Pair(*contexts()); p.shake()
p.server.write(b"last"); p.move(); p.bios[0].write_eof()
assert p.client.read(100) == b"last"
try: p.client.read(); assert False
except ssl.SSLEOFError as e: pass
c, s = contexts(); c.options |= ssl.OP_IGNORE_UNEXPECTED_EOF
p = Pair(c, s); p.shake(); p.bios[0].write_eof()
assert p.client.read() == b""
p = Pair(*contexts()); p.shake(); p.bios[0].write(b"\x17\x03\x03\x00\x20" + bytes(32))
try: p.client.read(); assert False
except ssl.SSLError as e: assert e.reason == "DECRYPTION_FAILED_OR_BAD_RECORD_MAC", e
p.move()
try: p.server.read(); assert False
except ssl.SSLError as e: assert e.reason == "SSLV3_ALERT_BAD_RECORD_MAC", e
p = Pair(*contexts()); p.shake()
p.server.write(b"more"); p.move()
try: p.client.unwrap(); assert False
except ssl.SSLError as e: assert e.reason == "APPLICATION_DATA_AFTER_CLOSE_NOTIFY", e
for call, kind, words in (
    (lambda c, s: Pair(s, s), ssl.SSLError, "Cannot create a client socket with a PROTOCOL_TLS_SERVER context"),
    (lambda c, s: Pair(c, c), ssl.SSLError, "Cannot create a server socket with a PROTOCOL_TLS_CLIENT context"),
    (lambda c, s: Pair(c, s, None), ValueError, "check_hostname requires server_hostname"),
    (lambda c, s: Pair(c, s, ""), ValueError, "leading dot"),
    (lambda c, s: Pair(c, s).client.unwrap(), ssl.SSLError, "[SSL: SHUTDOWN_WHILE_IN_INIT] shutdown while in init"),
    (lambda c, s: Pair(c, s).client.getpeercert(), ValueError, "handshake not done yet"),
    (lambda c, s: Pair(c, s).client.get_channel_binding("x"), ValueError, "'x' channel binding type not implemented"),
    (lambda c, s: c.load_verify_locations(), TypeError, "cannot be all omitted"),
    (lambda c, s: c.load_verify_locations("nope"), FileNotFoundError, "nope"),
    (lambda c, s: c.load_verify_locations("server.key"), ssl.SSLError, "[X509: NO_CERTIFICATE_OR_CRL_FOUND] no certificate or crl found"),
    (lambda c, s: c.load_verify_locations(cadata=""), ValueError, "Empty certificate data"),
    (lambda c, s: c.load_verify_locations(cadata="x"), ssl.SSLError, "no start line: cadata does not contain a certificate"),
    (lambda c, s: c.load_verify_locations(cadata=b"x"), ssl.SSLError, "not enough data: cadata does not contain a certificate"),
    (lambda c, s: c.load_cert_chain("nope"), FileNotFoundError, "nope"),
    (lambda c, s: c.load_cert_chain("ca.pem"), ssl.SSLError, "PEM lib"),
    (lambda c, s: c.load_cert_chain("other.pem", "server.key"), ssl.SSLError, "[X509: KEY_VALUES_MISMATCH] key values mismatch"),
    (lambda c, s: ssl.SSLContext(99), ValueError, "invalid or unsupported protocol version 99"),
    (lambda c, s: __import__("copy").copy(c), TypeError, "cannot pickle 'SSLContext' object"),
    (lambda c, s: setattr(c, "minimum_version", 5), ValueError, "Unsupported TLS/SSL version 0x5"),
    (lambda c, s: ssl.RAND_bytes(-1), ValueError, "num must be positive"),
    (lambda c, s: ssl.MemoryBIO().write(5), TypeError, ""),
):
    try: call(*contexts())
    except kind as e: assert words in str(e), (words, str(e))
    else: assert False, words
assert not hasattr(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), "keylog_filename")
`)
}

// What a context knows, without any session.
func TestTLSContexts(t *testing.T) {
	tlsScript(t, `
c = ssl.create_default_context(cafile="ca.pem")
assert c.protocol is ssl.PROTOCOL_TLS_CLIENT and c.verify_mode is ssl.CERT_REQUIRED and c.check_hostname
assert c.minimum_version is ssl.TLSVersion.TLSv1_2 and c.maximum_version is ssl.TLSVersion.MAXIMUM_SUPPORTED
assert c.options == 0x82520050 and c.verify_flags == 0x88020 and c.hostname_checks_common_name
assert c.cert_store_stats() == {"x509": 1, "crl": 0, "x509_ca": 1}
c.load_verify_locations("ca.pem"); c.load_verify_locations(cadata=ssl.PEM_cert_to_DER_cert(open("server.pem").read()))
assert c.cert_store_stats() == {"x509": 2, "crl": 0, "x509_ca": 1}
assert [x["subject"] for x in c.get_ca_certs()] == [((("commonName", "Test Authority"),),)]
assert c.get_ca_certs(True) == [ssl.PEM_cert_to_DER_cert(open("ca.pem").read())]
import os
os.mkdir("d"); os.rename("self.pem", "d/0a1b2c3d.0")
c = ssl.create_default_context(capath="d")
s = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
assert c.cert_store_stats()["x509"] == 0
assert ssl.Purpose.SERVER_AUTH.nid == 129 and ssl.Purpose.CLIENT_AUTH.shortname == "clientAuth"
assert ssl._ASN1Object.fromname("TLS Web Server Authentication") == ssl.Purpose.SERVER_AUTH.value
assert ssl._ASN1Object.fromnid(13).longname == "commonName"
assert len(ssl.RAND_bytes(20)) == 20 and ssl.RAND_status()
assert ssl.get_default_verify_paths().openssl_cafile_env == "SSL_CERT_FILE"
assert ssl._ssl._test_decode_cert("ca.pem")["subject"] == ((("commonName", "Test Authority"),),)
os.environ["SSL_CERT_FILE"] = os.path.abspath("ca.pem")
assert ssl.create_default_context().cert_store_stats()["x509"] == 1
b = ssl.MemoryBIO()
assert b.write(b"abcdef") == 6 and b.pending == 6 and b.read(2) == b"ab" and b.read(0) == b"" and not b.eof
b.write_eof()
assert not b.eof and b.read(100) == b"cdef" and b.eof and b.read() == b""
try: b.write(b"x"); assert False
except ssl.SSLError as e: assert str(e) == "cannot write() after write_eof()"
import http.client, urllib.request, smtplib, imaplib, ftplib, poplib
assert http.client.HTTPSConnection("a.example")._context.verify_mode is ssl.CERT_REQUIRED
`)
}

// A server sees which name a client wants, and may choose another context.
func TestTLSServerName(t *testing.T) {
	tlsScript(t, `
c, s = contexts()
other = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
other.load_cert_chain("other.pem")
asked = []
def choose(sslobj, name, context):
    asked.append((name, context is s))
    assert isinstance(sslobj, ssl.SSLObject)
    if name == "b.example":
        sslobj.context = other
    elif name == "refused.example":
        return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
    elif name == "raises.example":
        1 / 0
s.sni_callback = choose
caught = []
sys.unraisablehook = caught.append
assert Pair(c, s).shake() == [None, None]
p = Pair(c, s, "b.example")
assert p.shake() == [None, None] and p.client.getpeercert()["subject"][0][0][1] == "b.example"
assert p.server.context is other
client, server = Pair(c, s, "refused.example").shake()
assert client.reason == "TLSV1_UNRECOGNIZED_NAME" and server.reason == "CALLBACK_FAILED", (client, server)
client, server = Pair(c, s, "raises.example").shake()
assert client.reason == "SSLV3_ALERT_HANDSHAKE_FAILURE", client
assert asked == [(name + ".example", True) for name in ("a", "b", "refused", "raises")], asked
try: c.sni_callback = choose; assert False
except ValueError: pass
assert len(caught) == 1 and type(caught[0].exc_value) is ZeroDivisionError
`)
}
