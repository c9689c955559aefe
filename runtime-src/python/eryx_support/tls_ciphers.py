"""The cipher suites that the host has, under OpenSSL's names."""

from eryx_support.builtins_copy import builtins_copy as __builtins__


class Cipher:
    """A suite; its tags are the words that choose it in a cipher list."""

    def __init__(self, number, name, version, exchange, auth, symmetric, bits, digest, *tags):
        self.number, self.name, self.version, self.bits = number, name, version, bits
        self.exchange, self.auth, self.symmetric, self.digest = exchange, auth, symmetric, digest
        self.tags = frozenset(tags) | {"ALL", "DEFAULT", "HIGH", name, version}

    def description(self):
        """What SSLContext.get_ciphers() tells."""
        aead = self.digest is None
        text = (
            f"{self.name:<30} {self.version:<7} Kx={self.exchange[3:].upper():<8} Au={self.auth[5:].upper():<5} "
            f"Enc={self.symmetric}({self.bits}) Mac={'AEAD' if aead else self.digest.upper()}"
        )
        return {
            "id": 0x03000000 | self.number,
            "name": self.name,
            "protocol": self.version,
            "description": text,
            "strength_bits": self.bits,
            "alg_bits": self.bits,
            "aead": aead,
            "symmetric": self.symmetric,
            "digest": self.digest,
            "kea": self.exchange,
            "auth": self.auth,
        }


def _tls13(number, name, symmetric, bits):
    return Cipher(number, name, "TLSv1.3", "kx-any", "auth-any", symmetric, bits, None)


def _suite(number, name):
    """A suite up to TLS 1.2, whose name says everything."""
    ephemeral = name.startswith("ECDHE-")
    ecdsa = "-ECDSA-" in name
    tags = {"ECDHE", "EECDH", "kECDHE", "kEECDH", "ECDH"} if ephemeral else {"kRSA"}
    tags |= {"aECDSA", "ECDSA"} if ecdsa else {"aRSA", "RSA"} if not ephemeral else {"aRSA"}
    if "CHACHA20" in name:
        symmetric, bits, digest, version = "chacha20-poly1305", 256, None, "TLSv1.2"
        tags |= {"CHACHA20"}
    else:
        bits = 256 if "AES256" in name else 128
        mode = "gcm" if "GCM" in name else "cbc"
        symmetric = f"aes-{bits}-{mode}"
        tags |= {"AES", f"AES{bits}"} | ({"AESGCM"} if mode == "gcm" else set())
        sha = name.rpartition("-")[2]
        digest = None if mode == "gcm" else {"SHA": "sha1", "SHA256": "sha256"}[sha]
        version = "TLSv1.2" if sha != "SHA" else "TLSv1.0" if ephemeral else "SSLv3"
        tags |= {"SHA", "SHA1"} if sha == "SHA" else {sha}
    if version == "TLSv1.0":
        tags.add("TLSv1")
    exchange = "kx-ecdhe" if ephemeral else "kx-rsa"
    auth = "auth-ecdsa" if ecdsa else "auth-rsa"
    return Cipher(number, name, version, exchange, auth, symmetric, bits, digest, *tags)


# TLS 1.3 has these whatever a cipher list says.
MODERN = (
    _tls13(0x1302, "TLS_AES_256_GCM_SHA384", "aes-256-gcm", 256),
    _tls13(0x1303, "TLS_CHACHA20_POLY1305_SHA256", "chacha20-poly1305", 256),
    _tls13(0x1301, "TLS_AES_128_GCM_SHA256", "aes-128-gcm", 128),
)

_OLDER = tuple(
    _suite(number, name)
    for number, name in (
        (0xC02C, "ECDHE-ECDSA-AES256-GCM-SHA384"),
        (0xC030, "ECDHE-RSA-AES256-GCM-SHA384"),
        (0xCCA9, "ECDHE-ECDSA-CHACHA20-POLY1305"),
        (0xCCA8, "ECDHE-RSA-CHACHA20-POLY1305"),
        (0xC02B, "ECDHE-ECDSA-AES128-GCM-SHA256"),
        (0xC02F, "ECDHE-RSA-AES128-GCM-SHA256"),
        (0xC023, "ECDHE-ECDSA-AES128-SHA256"),
        (0xC027, "ECDHE-RSA-AES128-SHA256"),
        (0xC00A, "ECDHE-ECDSA-AES256-SHA"),
        (0xC014, "ECDHE-RSA-AES256-SHA"),
        (0xC009, "ECDHE-ECDSA-AES128-SHA"),
        (0xC013, "ECDHE-RSA-AES128-SHA"),
        (0x009D, "AES256-GCM-SHA384"),
        (0x009C, "AES128-GCM-SHA256"),
        (0x003C, "AES128-SHA256"),
        (0x0035, "AES256-SHA"),
        (0x002F, "AES128-SHA"),
    )
)

# What a context without a cipher list has: the host's own choice, which is
# without RSA key exchange and SHA-256 in CBC mode.
USUAL = tuple(
    c for c in _OLDER if c.exchange == "kx-ecdhe" and not (c.digest == "sha256")
)

BY_NUMBER = {c.number: c for c in MODERN + _OLDER}


def select(cipher_list):
    """The suites up to TLS 1.2 that a list in OpenSSL's language chooses."""
    chosen, killed = [], set()
    for word in cipher_list.replace(",", ":").replace(" ", ":").replace(";", ":").split(":"):
        if not word or word[0] == "@":
            continue
        operator = word[0] if word[0] in "!-+" else ""
        wanted = word[len(operator) :].split("+")
        found = [c for c in _OLDER if all(tag in c.tags for tag in wanted)]
        if operator == "!":
            killed.update(found)
        if operator:
            moved = [c for c in found if c in chosen]
            chosen = [c for c in chosen if c not in moved]
            if operator == "+":
                chosen += moved
        else:
            chosen += [c for c in found if c not in chosen and c not in killed]
    return tuple(chosen)


def is_known(cipher_list):
    """Whether a list chooses at least one suite, of any version."""
    words = cipher_list.replace(",", ":").split(":")
    return bool(select(cipher_list)) or any(word == c.name for word in words for c in MODERN)
