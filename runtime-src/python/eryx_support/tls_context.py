"""What a program wants of TLS: a context is plain data of the guest.

Libraries make contexts when they are imported, so that they are part of images
and snapshots. The host learns of one when a session is made.
"""

from eryx_support.builtins_copy import builtins_copy as __builtins__

import os
import re
import warnings
from json import dumps
from operator import index

from eryx_support import hosttls, tls_certificates, tls_ciphers
from eryx_support.tls_errors import SSLError, error, of_failure, of_refusal

PROTOCOL_TLS = 2
PROTOCOL_TLSv1, PROTOCOL_TLSv1_1, PROTOCOL_TLSv1_2 = 3, 4, 5
PROTOCOL_TLS_CLIENT, PROTOCOL_TLS_SERVER = 16, 17

PROTO_MINIMUM_SUPPORTED, PROTO_MAXIMUM_SUPPORTED = -2, -1
PROTO_SSLv3, PROTO_TLSv1, PROTO_TLSv1_1, PROTO_TLSv1_2, PROTO_TLSv1_3 = range(0x300, 0x305)

CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED = range(3)

OP_ALL = 0x80000050
OP_NO_SSLv3 = 0x2000000
OP_NO_TLSv1, OP_NO_TLSv1_1, OP_NO_TLSv1_2, OP_NO_TLSv1_3 = 0x4000000, 0x10000000, 0x8000000, 0x20000000
OP_CIPHER_SERVER_PREFERENCE = 0x400000
OP_NO_COMPRESSION = 0x20000
OP_ENABLE_MIDDLEBOX_COMPAT = 0x100000
OP_IGNORE_UNEXPECTED_EOF = 0x80

VERIFY_CRL_CHECK_LEAF, VERIFY_CRL_CHECK_CHAIN = 0x4, 0xC
VERIFY_X509_TRUSTED_FIRST, VERIFY_X509_PARTIAL_CHAIN = 0x8000, 0x80000

HOSTFLAG_NEVER_CHECK_SUBJECT, HOSTFLAG_NO_PARTIAL_WILDCARDS = 0x20, 0x4

DEFAULT_CAFILE_ENV, DEFAULT_CAPATH_ENV = "SSL_CERT_FILE", "SSL_CERT_DIR"

_DISABLED_BY = {
    PROTO_TLSv1: OP_NO_TLSv1,
    PROTO_TLSv1_1: OP_NO_TLSv1_1,
    PROTO_TLSv1_2: OP_NO_TLSv1_2,
    PROTO_TLSv1_3: OP_NO_TLSv1_3,
}

_ONE_VERSION = {
    PROTOCOL_TLSv1: (PROTO_TLSv1, "PROTOCOL_TLSv1"),
    PROTOCOL_TLSv1_1: (PROTO_TLSv1_1, "PROTOCOL_TLSv1_1"),
    PROTOCOL_TLSv1_2: (PROTO_TLSv1_2, "PROTOCOL_TLSv1_2"),
}

_CURVES = frozenset("prime256v1 P-256 secp384r1 P-384 secp521r1 P-521 X25519 x25519".split())

# File names under which OpenSSL looks for certificates in a directory.
_HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+\Z")

# The most that the host takes of certificates that are trusted, in bytes.
_MAX_AUTHORITIES = 1 << 20

_MAX_IDENTITIES = 8


class _Authorities:
    """Certificates that are trusted, in DER; each once."""

    def __init__(self):
        self.listed = {}  # loaded from files or data
        self.found = {}  # in directories
        self._digest = None

    def add(self, certificates, found=False):
        for der in certificates:
            if der not in self.listed:
                (self.found if found else self.listed)[der] = None
        self._digest = None

    def __bool__(self):
        return bool(self.listed or self.found)

    def digest(self, forgotten):
        """By which the host knows them; it is told of them if it was not, or
        has forgotten."""
        if self._digest is None or forgotten:
            told = hosttls.trust_authorities(b"".join((*self.listed, *self.found)))
            if type(told) is tuple:
                raise of_refusal(told)
            self._digest = told
        return self._digest


class _SSLContext:
    __module__ = "_ssl"

    def __new__(cls, protocol, /):
        oldest = PROTO_TLSv1_2
        if protocol in _ONE_VERSION:
            name = _ONE_VERSION[protocol][1]
            warnings.warn(f"ssl.{name} is deprecated", DeprecationWarning, stacklevel=3)
            oldest = PROTO_MINIMUM_SUPPORTED
        elif protocol == PROTOCOL_TLS:
            warnings.warn("ssl.PROTOCOL_TLS is deprecated", DeprecationWarning, stacklevel=3)
        elif protocol not in (PROTOCOL_TLS_CLIENT, PROTOCOL_TLS_SERVER):
            raise ValueError(f"invalid or unsupported protocol version {protocol}")
        self = object.__new__(cls)
        self._protocol = int(protocol)
        self._minimum, self._maximum = oldest, PROTO_MAXIMUM_SUPPORTED
        self._options = (
            OP_ALL | OP_NO_SSLv3 | OP_CIPHER_SERVER_PREFERENCE | OP_NO_COMPRESSION | OP_ENABLE_MIDDLEBOX_COMPAT
        )
        client = protocol == PROTOCOL_TLS_CLIENT
        self._verify_mode = CERT_REQUIRED if client else CERT_NONE
        self._check_hostname = client
        self._verify_flags = VERIFY_X509_TRUSTED_FIRST
        self._flags_of_host = HOSTFLAG_NO_PARTIAL_WILDCARDS
        self._ciphers = None
        self._alpn = ()
        self._identities = ()
        self._trusted = _Authorities()
        self._system_roots = False
        self._sni_callback = self._message_callback = None
        self._tickets = 2
        self._post_handshake_auth = False
        return self

    def __reduce_ex__(self, protocol):
        raise TypeError(f"cannot pickle {type(self).__name__!r} object")

    # What ssl.SSLContext overrides takes its values from these.

    @property
    def protocol(self):
        return self._protocol

    @property
    def options(self):
        return self._options

    @options.setter
    def options(self, value):
        value = index(value)
        if value < 0:
            raise ValueError("can't convert negative number to unsigned long")
        if value >> 64:
            raise OverflowError("Python int too large to convert to C unsigned long")
        if value & ~self._options & (OP_NO_SSLv3 | sum(_DISABLED_BY.values())):
            warnings.warn("ssl.OP_NO_SSL*/ssl.OP_NO_TLS* options are deprecated", DeprecationWarning, stacklevel=3)
        self._options = value

    @property
    def verify_mode(self):
        return self._verify_mode

    @verify_mode.setter
    def verify_mode(self, value):
        value = index(value)
        if value not in (CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED):
            raise ValueError("invalid value for verify_mode")
        if value == CERT_NONE and self._check_hostname:
            raise ValueError("Cannot set verify_mode to CERT_NONE when check_hostname is enabled.")
        self._verify_mode = value

    @property
    def check_hostname(self):
        return self._check_hostname

    @check_hostname.setter
    def check_hostname(self, value):
        self._check_hostname = bool(value)
        if value and self._verify_mode == CERT_NONE:
            self._verify_mode = CERT_REQUIRED

    @property
    def verify_flags(self):
        return self._verify_flags

    @verify_flags.setter
    def verify_flags(self, value):
        self._verify_flags = index(value)

    @property
    def _host_flags(self):
        return self._flags_of_host

    @_host_flags.setter
    def _host_flags(self, value):
        self._flags_of_host = index(value)

    @property
    def minimum_version(self):
        return self._minimum

    @minimum_version.setter
    def minimum_version(self, value):
        value = self._version(value)
        self._minimum = PROTO_TLSv1_3 if value == PROTO_MAXIMUM_SUPPORTED else value

    @property
    def maximum_version(self):
        return self._maximum

    @maximum_version.setter
    def maximum_version(self, value):
        value = self._version(value)
        self._maximum = PROTO_TLSv1 if value == PROTO_MINIMUM_SUPPORTED else value

    def _version(self, value):
        value = index(value)
        if self._protocol in _ONE_VERSION:
            raise ValueError(
                "The context's protocol doesn't support modification of highest and lowest version."
            )
        if value not in (PROTO_MINIMUM_SUPPORTED, PROTO_MAXIMUM_SUPPORTED) and not (
            PROTO_SSLv3 <= value <= PROTO_TLSv1_3
        ):
            raise ValueError(f"Unsupported TLS/SSL version 0x{value & 0xFFFFFFFF:x}")
        return value

    @property
    def num_tickets(self):
        return self._tickets

    @num_tickets.setter
    def num_tickets(self, value):
        if value < 0:
            raise ValueError("value must be non-negative")
        if self._protocol != PROTOCOL_TLS_SERVER:
            raise ValueError("SSLContext is not a server context.")
        self._tickets = int(value)

    @property
    def security_level(self):
        return 2

    @property
    def sni_callback(self):
        """Set a callback that will be called when a server name is provided by
        the SSL/TLS client in the SNI extension."""
        return self._sni_callback

    @sni_callback.setter
    def sni_callback(self, value):
        if self._protocol == PROTOCOL_TLS_CLIENT:
            raise ValueError("sni_callback cannot be set on TLS_CLIENT context")
        if value is not None and not callable(value):
            raise TypeError("not a callable object")
        self._sni_callback = value

    @property
    def _msg_callback(self):
        return self._message_callback

    @_msg_callback.setter
    def _msg_callback(self, value):
        if value is not None and not callable(value):
            raise TypeError(f"{value} is not callable.")
        self._message_callback = value

    @_msg_callback.deleter
    def _msg_callback(self):
        raise AttributeError("attribute '_msg_callback' cannot be deleted")

    @property
    def post_handshake_auth(self):
        return self._post_handshake_auth

    @post_handshake_auth.setter
    def post_handshake_auth(self, value):
        self._post_handshake_auth = bool(value)

    def set_ciphers(self, cipherlist, /):
        if not tls_ciphers.is_known(cipherlist):
            raise SSLError("No cipher can be selected.")
        self._ciphers = tls_ciphers.select(cipherlist)

    def get_ciphers(self):
        older = tls_ciphers.USUAL if self._ciphers is None else self._ciphers
        return [cipher.description() for cipher in tls_ciphers.MODERN + older]

    def _set_alpn_protocols(self, protos, /):
        names, at = [], 0
        protos = bytes(protos)
        while at < len(protos):
            length = protos[at]
            names.append(protos[at + 1 : at + 1 + length].decode("ascii"))
            at += 1 + length
        self._alpn = tuple(names)

    def set_ecdh_curve(self, name, /):
        """Checks the name. The host chooses the curves."""
        name = os.fsdecode(name)
        if name not in _CURVES:
            raise ValueError(f"unknown elliptic curve name {name!r}")

    def load_dh_params(self, path, /):
        """Checks that there are some. The host has no suites that use them."""
        with open(path, "rb") as file:
            if b"-----BEGIN DH PARAMETERS-----" not in file.read():
                raise error("no start line", "PEM", "NO_START_LINE")

    def session_stats(self):
        return dict.fromkeys(
            "number connect connect_good connect_renegotiate accept accept_good accept_renegotiate hits misses "
            "timeouts cache_full".split(),
            0,
        )

    # Certificates.

    def load_cert_chain(self, certfile, keyfile=None, password=None):
        with open(certfile, "rb") as file:
            chain = file.read().decode("utf-8", "replace")
        key = chain
        if keyfile is not None:
            with open(keyfile, "rb") as file:
                key = file.read().decode("utf-8", "replace")
        if wrong := hosttls.check_identity(chain, key):
            raise of_failure(wrong)
        identity = {"chain": chain, "key": key}
        others = tuple(other for other in self._identities if other != identity)
        self._identities = (identity, *others)[:_MAX_IDENTITIES]

    def load_verify_locations(self, cafile=None, capath=None, cadata=None):
        if cafile is None and capath is None and cadata is None:
            raise TypeError("cafile, capath and cadata cannot be all omitted")
        for name, value in (("cafile", cafile), ("capath", capath)):
            if value is not None and not isinstance(value, (str, bytes, os.PathLike)):
                raise TypeError(f"{name} should be a valid filesystem path")
        if cadata is not None:
            self._trusted.add(_of_data(cadata))
        if cafile is not None:
            self._trusted.add(_of_file(cafile))
        if capath is not None:
            self._trusted.add(_of_directory(capath), found=True)

    def set_default_verify_paths(self):
        """Trusts the roots that the host has, and what the environment names."""
        self._system_roots = True
        for variable, read, found in (
            (DEFAULT_CAFILE_ENV, _of_file, False),
            (DEFAULT_CAPATH_ENV, _of_directory, True),
        ):
            if path := os.environ.get(variable):
                try:
                    self._trusted.add(read(path), found)
                except OSError:
                    pass  # as if there were none

    def cert_store_stats(self):
        listed = list(self._trusted.listed)
        authorities = sum(1 for der in listed if tls_certificates.look(der)["ca"])
        return {"x509": len(listed), "crl": 0, "x509_ca": authorities}

    def get_ca_certs(self, binary_form=False):
        listed = [der for der in self._trusted.listed if tls_certificates.look(der)["ca"]]
        return listed if binary_form else [tls_certificates.decode(der) for der in listed]

    # What the host is told.

    def _settings(self, server, name, forgotten=False):
        """Settings of a session, in JSON."""
        oldest, newest = self._allowed_versions()
        flags = self._flags_of_host
        return dumps(
            {
                "server": server,
                "name": name or "",
                "verify": self._verify_mode,
                "check_name": self._check_hostname,
                "common_name": not flags & HOSTFLAG_NEVER_CHECK_SUBJECT,
                "partial_chain": bool(self._verify_flags & VERIFY_X509_PARTIAL_CHAIN),
                "revocation": bool(self._verify_flags & VERIFY_CRL_CHECK_CHAIN),
                "min_version": oldest,
                "max_version": newest,
                "suites": None if self._ciphers is None else [c.number for c in self._ciphers],
                "alpn": self._alpn,
                "system_roots": self._system_roots,
                "authorities": self._trusted.digest(forgotten)
                if self._trusted and self._verify_mode != CERT_NONE
                else "",
                "identities": self._identities,
                "ask": server and self._sni_callback is not None,
            }
        )

    def _allowed_versions(self):
        oldest = PROTO_TLSv1 if self._minimum < PROTO_TLSv1 else self._minimum
        newest = PROTO_TLSv1_3 if self._maximum == PROTO_MAXIMUM_SUPPORTED else self._maximum
        if self._protocol in _ONE_VERSION:
            oldest = newest = _ONE_VERSION[self._protocol][0]
        allowed = [v for v, off in _DISABLED_BY.items() if oldest <= v <= newest and not self._options & off]
        if not allowed:
            raise error("no protocols available", reason="NO_PROTOCOLS_AVAILABLE")
        # What is disabled in between splits the range; the newer part counts.
        first = allowed[-1]
        while first - 1 in allowed:
            first -= 1
        return first, allowed[-1]

    def _wrap_socket(self, sock, server_side, server_hostname=None, *, owner=None, session=None):
        from eryx_support.tls_session import _SSLSocket

        return _SSLSocket._over_socket(self, sock, bool(server_side), server_hostname, owner, session)

    def _wrap_bio(self, incoming, outgoing, server_side, server_hostname=None, *, owner=None, session=None):
        from eryx_support.tls_session import _SSLSocket

        return _SSLSocket._over_bio(
            self, incoming, outgoing, bool(server_side), server_hostname, owner, session
        )


def _of_file(path):
    with open(path, "rb") as file:
        text = file.read(8 * _MAX_AUTHORITIES)
    certificates = tls_certificates.from_pem(text)
    if not certificates:
        raise error("no certificate or crl found", "X509", "NO_CERTIFICATE_OR_CRL_FOUND", number=136)
    return certificates


def _of_directory(path):
    certificates = []
    try:
        names = sorted(os.listdir(path))
    except OSError:
        return certificates
    for name in names:
        if _HASHED.match(os.fsdecode(name)):
            try:
                certificates += _of_file(os.path.join(path, name))
            except OSError:
                continue
    return certificates


def _of_data(data):
    if isinstance(data, str):
        if not data.isascii():
            raise TypeError("cadata should be an ASCII string or a bytes-like object")
        certificates, missing = tls_certificates.from_pem(data.encode()), "no start line"
    else:
        try:
            data = bytes(memoryview(data))
        except TypeError:
            raise TypeError("cadata should be an ASCII string or a bytes-like object") from None
        certificates, missing = tls_certificates.from_der(data), "not enough data"
    if not data:
        raise ValueError("Empty certificate data")
    if not certificates:
        raise error(f"{missing}: cadata does not contain a certificate", library="", number=0)
    return certificates
