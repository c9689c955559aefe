"""Certificates: reading them from files, and what Python shows of them."""

from eryx_support.builtins_copy import builtins_copy as __builtins__

import binascii
from json import loads

from eryx_support import hosttls
from eryx_support.tls_errors import error, of_failure
from eryx_support.tls_objects import long_name

ENCODING_PEM, ENCODING_DER = 1, 2

_KINDS = (b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE")


def from_pem(text):
    """The certificates in a file, in DER."""
    certificates = []
    at = 0
    while (start := text.find(b"-----BEGIN ", at)) >= 0:
        head = text.find(b"-----", start + 11)
        if head < 0:
            break
        kind = text[start + 11 : head]
        end = text.find(b"-----END " + kind + b"-----", head)
        if end < 0:
            break
        at = end
        if kind not in _KINDS:
            continue
        try:
            der = binascii.a2b_base64(text[head + 5 : end])
        except binascii.Error:
            raise error("PEM lib", "X509") from None
        length = _length(der, 0)
        if length is None:
            raise error("PEM lib", "X509")
        certificates.append(der[:length])
    return certificates


def from_der(der):
    """The certificates that follow each other, in DER."""
    certificates = []
    at = 0
    while at < len(der):
        length = _length(der, at)
        if length is None:
            if certificates:
                raise error("not enough data", "ASN1", "NOT_ENOUGH_DATA")
            break
        certificates.append(der[at : at + length])
        at += length
    return certificates


def _length(der, at):
    """How long the sequence at a place is, or None if there is none."""
    if len(der) < at + 2 or der[at] != 0x30:
        return None
    size, header = der[at + 1], 2
    if size & 0x80:
        header += size & 0x7F
        if not 2 < header <= 6 or len(der) < at + header:
            return None
        size = int.from_bytes(der[at + 2 : at + header])
    return header + size if len(der) >= at + header + size else None


def _names(parts):
    return tuple(
        tuple((long_name(identifier), value) for identifier, value in attributes) for attributes in parts
    )


def look(der):
    """What the host says of a certificate."""
    told = loads(hosttls.describe_certificate(der))
    if "failure" in told:
        from json import dumps

        raise of_failure(dumps(told["failure"]))
    return told


def decode(der):
    """The dictionary that getpeercert() returns."""
    told = look(der)
    result = {
        "subject": _names(told["subject"]),
        "issuer": _names(told["issuer"]),
        "version": told["version"],
        "serialNumber": told["serial"],
        "notBefore": told["not_before"],
        "notAfter": told["not_after"],
    }
    if told["names"]:
        result["subjectAltName"] = tuple(
            (name["kind"], _names(name["parts"]) if name["kind"] == "DirName" else name["value"])
            for name in told["names"]
        )
    for key, name in (("OCSP", "ocsp"), ("caIssuers", "issuers"), ("crlDistributionPoints", "crls")):
        if told[name]:
            result[key] = tuple(told[name])
    return result


class Certificate:
    """A certificate of a chain."""

    __module__ = "_ssl"
    __slots__ = ("_der",)

    def __new__(cls, *args, **kwargs):
        raise TypeError("cannot create '_ssl.Certificate' instances")

    @classmethod
    def _of(cls, der):
        self = object.__new__(cls)
        self._der = der
        return self

    def public_bytes(self, format=ENCODING_PEM):
        if format == ENCODING_DER:
            return self._der
        if format != ENCODING_PEM:
            raise ValueError("Unsupported format")
        lines = binascii.b2a_base64(self._der, newline=False).decode()
        lines = [lines[i : i + 64] for i in range(0, len(lines), 64)]
        return "\n".join(("-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""))

    def get_info(self):
        return decode(self._der)

    def __eq__(self, other):
        return self._der == other._der if isinstance(other, Certificate) else NotImplemented

    def __hash__(self):
        return hash(self._der)

    def __repr__(self):
        subject = ", ".join(f"{n}={v}" for part in self.get_info()["subject"] for n, v in part)
        return f"<_ssl.Certificate '{subject}'>"
