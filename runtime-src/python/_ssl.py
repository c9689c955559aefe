"""What ssl imports: TLS by the host, which has the keys and the roots.

The names and the errors are those of CPython's own module over OpenSSL. What
does not exist is keylog_filename, which would give the program the plaintext
that the host keeps secrets in.
"""

import os as _os

from eryx_support.tls_certificates import ENCODING_DER, ENCODING_PEM, Certificate
from eryx_support.tls_context import (
    CERT_NONE,
    CERT_OPTIONAL,
    CERT_REQUIRED,
    HOSTFLAG_NEVER_CHECK_SUBJECT,
    HOSTFLAG_NO_PARTIAL_WILDCARDS,
    OP_ALL,
    OP_CIPHER_SERVER_PREFERENCE,
    OP_ENABLE_MIDDLEBOX_COMPAT,
    OP_IGNORE_UNEXPECTED_EOF,
    OP_NO_COMPRESSION,
    OP_NO_SSLv3,
    OP_NO_TLSv1,
    OP_NO_TLSv1_1,
    OP_NO_TLSv1_2,
    OP_NO_TLSv1_3,
    PROTO_MAXIMUM_SUPPORTED,
    PROTO_MINIMUM_SUPPORTED,
    PROTO_SSLv3,
    PROTO_TLSv1,
    PROTO_TLSv1_1,
    PROTO_TLSv1_2,
    PROTO_TLSv1_3,
    PROTOCOL_TLS,
    PROTOCOL_TLS_CLIENT,
    PROTOCOL_TLS_SERVER,
    PROTOCOL_TLSv1,
    PROTOCOL_TLSv1_1,
    PROTOCOL_TLSv1_2,
    VERIFY_CRL_CHECK_CHAIN,
    VERIFY_CRL_CHECK_LEAF,
    VERIFY_X509_PARTIAL_CHAIN,
    VERIFY_X509_TRUSTED_FIRST,
    _SSLContext,
)
from eryx_support.tls_context import DEFAULT_CAFILE_ENV as _CAFILE_ENV
from eryx_support.tls_context import DEFAULT_CAPATH_ENV as _CAPATH_ENV
from eryx_support.tls_errors import (
    SSL_ERROR_EOF,
    SSL_ERROR_INVALID_ERROR_CODE,
    SSL_ERROR_SSL,
    SSL_ERROR_SYSCALL,
    SSL_ERROR_WANT_CONNECT,
    SSL_ERROR_WANT_READ,
    SSL_ERROR_WANT_WRITE,
    SSL_ERROR_WANT_X509_LOOKUP,
    SSL_ERROR_ZERO_RETURN,
    SSLCertVerificationError,
    SSLEOFError,
    SSLError,
    SSLSyscallError,
    SSLWantReadError,
    SSLWantWriteError,
    SSLZeroReturnError,
)
from eryx_support.tls_objects import nid2obj, txt2obj
from eryx_support.tls_session import MemoryBIO, SSLSession, _SSLSocket

# Libraries look for OpenSSL's name and version to know what they can ask for.
OPENSSL_VERSION = "OpenSSL 3.0.0 interface over Go crypto/tls"
OPENSSL_VERSION_INFO = _OPENSSL_API_VERSION = (3, 0, 0, 0, 0)
OPENSSL_VERSION_NUMBER = 0x30000000

_DEFAULT_CIPHERS = "@SECLEVEL=2:ECDH+AESGCM:ECDH+CHACHA20:ECDH+AES:DHE+AES:!aNULL:!eNULL:!aDSS:!SHA1:!AESCCM"

HAS_SNI = HAS_ECDH = HAS_ALPN = HAS_TLS_UNIQUE = True
HAS_TLSv1 = HAS_TLSv1_1 = HAS_TLSv1_2 = HAS_TLSv1_3 = True
HAS_NPN = HAS_SSLv2 = HAS_SSLv3 = HAS_PSK = HAS_PSK_TLS13 = HAS_PHA = False

PROTOCOL_SSLv23 = PROTOCOL_TLS

# Options without effect on the host.
OP_LEGACY_SERVER_CONNECT = 0x4
OP_ENABLE_KTLS = 0x8
OP_NO_TICKET = 0x4000
OP_NO_RENEGOTIATION = 0x40000000
OP_NO_SSLv2 = OP_SINGLE_DH_USE = OP_SINGLE_ECDH_USE = 0

VERIFY_DEFAULT = 0
VERIFY_X509_STRICT = 0x20
VERIFY_ALLOW_PROXY_CERTS = 0x40

HOSTFLAG_ALWAYS_CHECK_SUBJECT = 0x1
HOSTFLAG_NO_WILDCARDS = 0x2
HOSTFLAG_MULTI_LABEL_WILDCARDS = 0x8
HOSTFLAG_SINGLE_LABEL_SUBDOMAINS = 0x10

ALERT_DESCRIPTION_CLOSE_NOTIFY = 0
ALERT_DESCRIPTION_UNEXPECTED_MESSAGE = 10
ALERT_DESCRIPTION_BAD_RECORD_MAC = 20
ALERT_DESCRIPTION_RECORD_OVERFLOW = 22
ALERT_DESCRIPTION_DECOMPRESSION_FAILURE = 30
ALERT_DESCRIPTION_HANDSHAKE_FAILURE = 40
ALERT_DESCRIPTION_BAD_CERTIFICATE = 42
ALERT_DESCRIPTION_UNSUPPORTED_CERTIFICATE = 43
ALERT_DESCRIPTION_CERTIFICATE_REVOKED = 44
ALERT_DESCRIPTION_CERTIFICATE_EXPIRED = 45
ALERT_DESCRIPTION_CERTIFICATE_UNKNOWN = 46
ALERT_DESCRIPTION_ILLEGAL_PARAMETER = 47
ALERT_DESCRIPTION_UNKNOWN_CA = 48
ALERT_DESCRIPTION_ACCESS_DENIED = 49
ALERT_DESCRIPTION_DECODE_ERROR = 50
ALERT_DESCRIPTION_DECRYPT_ERROR = 51
ALERT_DESCRIPTION_PROTOCOL_VERSION = 70
ALERT_DESCRIPTION_INSUFFICIENT_SECURITY = 71
ALERT_DESCRIPTION_INTERNAL_ERROR = 80
ALERT_DESCRIPTION_USER_CANCELLED = 90
ALERT_DESCRIPTION_NO_RENEGOTIATION = 100
ALERT_DESCRIPTION_UNSUPPORTED_EXTENSION = 110
ALERT_DESCRIPTION_CERTIFICATE_UNOBTAINABLE = 111
ALERT_DESCRIPTION_UNRECOGNIZED_NAME = 112
ALERT_DESCRIPTION_BAD_CERTIFICATE_STATUS_RESPONSE = 113
ALERT_DESCRIPTION_BAD_CERTIFICATE_HASH_VALUE = 114
ALERT_DESCRIPTION_UNKNOWN_PSK_IDENTITY = 115


def RAND_bytes(n, /):
    """Generate n cryptographically strong pseudo-random bytes."""
    if n < 0:
        raise ValueError("num must be positive")
    return _os.urandom(n)


def RAND_status():
    """Returns True if the generator has been seeded, which it always is."""
    return True


def RAND_add(string, entropy, /):
    """Has no effect: the host's randomness needs nothing added."""


def get_default_verify_paths():
    """Names of variables and paths, as they are for OpenSSL. What is trusted by
    default are the host's roots."""
    return _CAFILE_ENV, "/etc/ssl/cert.pem", _CAPATH_ENV, "/etc/ssl/certs"


def _test_decode_cert(path, /):
    from eryx_support.tls_certificates import decode, from_pem

    with open(path, "rb") as file:
        certificates = from_pem(file.read())
    if not certificates:
        raise SSLError("Error decoding PEM-encoded file")
    return decode(certificates[0])
