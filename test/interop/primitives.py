"""Primitives, notation and key validation: spec/conventions.md, spec/identity.md, spec/message.md (EtM)."""

import base64
import hashlib
import hmac as hmac_library
import math

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, x25519
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

MAX_NUMBER = 2**53 - 1
P25519 = 2**255 - 19


class Refused(Exception):
    """`code` is one of spec/errors.md."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


def refuse_unless(condition, code="malformed"):
    if not condition:
        raise Refused(code)


def label(purpose):
    text = b"couplet/v1/" + purpose.encode("ascii")
    return bytes([len(text)]) + text


def u(size, number):
    return number.to_bytes(size, "big")


def bytes16(data):
    return u(2, len(data)) + data


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def hmac(key, *parts):
    return hmac_library.new(key, b"".join(parts), hashlib.sha256).digest()


def equal(a, b):
    return hmac_library.compare_digest(a, b)


def hkdf(salt, ikm, info, length):
    key, okm, block, i = hmac(salt, ikm), b"", b"", 1
    while len(okm) < length:
        block = hmac(key, block, info, bytes([i]))
        okm, i = okm + block, i + 1
    return okm[:length]


def cut(data, *sizes):
    """The parts of `data`, which has exactly these sizes."""
    parts, at = [], 0
    for size in sizes:
        parts.append(data[at : at + size])
        at += size
    assert at == len(data)
    return parts


class Reader:
    """Strict: checks before it reads, and that nothing is left over."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        refuse_unless(self.at + size <= len(self.data))
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size):
        value = int.from_bytes(self.take(size), "big")
        refuse_unless(value <= MAX_NUMBER)
        return value

    def expect(self, wanted):
        refuse_unless(self.take(len(wanted)) == wanted)

    def rest(self):
        return self.take(len(self.data) - self.at)

    def end(self):
        refuse_unless(self.at == len(self.data))


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


# ---- X25519, Ed25519, RSA-OAEP -------------------------------------------------------------------


def raw(private):
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def x25519_public(secret):
    return raw(x25519.X25519PrivateKey.from_private_bytes(secret))


def dh(secret, public):
    try:
        result = x25519.X25519PrivateKey.from_private_bytes(secret).exchange(
            x25519.X25519PublicKey.from_public_bytes(public)
        )
    except ValueError:  # OpenSSL refuses an all-zero result itself
        raise Refused("invalid-key") from None
    refuse_unless(result != bytes(32), "invalid-key")
    return result


def ed25519_public(seed):
    return raw(ed25519.Ed25519PrivateKey.from_private_bytes(seed))


def sign(seed, *parts):
    return ed25519.Ed25519PrivateKey.from_private_bytes(seed).sign(b"".join(parts))


def verifies(public, signature, *parts):
    """OpenSSL is strict: no cofactor, S below the order, R compared as bytes. The key was validated."""
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(public).verify(signature, b"".join(parts))
    except InvalidSignature:
        return False
    return True


def oaep_encrypt(spki, secret, oaep_label, seed):
    """RSAES-OAEP-ENCRYPT (RFC 8017, 7.1.1) with a seed of the caller's, which libraries do not take."""
    data = sha256(oaep_label) + bytes(384 - len(secret) - 2 * 32 - 2) + b"\x01" + secret
    masked = xor(data, mgf1(seed, len(data)))
    masked_seed = xor(seed, mgf1(masked, 32))
    number = int.from_bytes(b"\x00" + masked_seed + masked, "big")
    return pow(number, 65537, modulus(spki)).to_bytes(384, "big")


def oaep_decrypt(private, ciphertext, oaep_label):
    """The 32 bytes, or None for whatever reason."""
    scheme = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), oaep_label)
    try:
        secret = private.decrypt(ciphertext, scheme)
    except ValueError:
        return None
    return secret if len(ciphertext) == 384 and len(secret) == 32 else None


def mgf1(seed, length):
    blocks = (sha256(seed, u(4, i)) for i in range((length + 31) // 32))
    return b"".join(blocks)[:length]


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


# ---- EtM: spec/message.md ------------------------------------------------------------------------


def etm_seal(keys, iv, plaintext, ad):
    fill = 16 - len(plaintext) % 16
    cipher = Cipher(algorithms.AES(keys[:32]), modes.CBC(iv)).encryptor()
    body = iv + cipher.update(plaintext + bytes([fill]) * fill) + cipher.finalize()
    return body + hmac(keys[32:], u(4, len(ad)), ad, body)


def etm_open(keys, sealed, ad):
    refuse_unless(len(sealed) >= 48, "undecryptable")
    body, tag = sealed[:-32], sealed[-32:]
    refuse_unless(equal(tag, hmac(keys[32:], u(4, len(ad)), ad, body)), "undecryptable")
    iv, ciphertext = body[:16], body[16:]
    refuse_unless(ciphertext and len(ciphertext) % 16 == 0, "undecryptable")
    cipher = Cipher(algorithms.AES(keys[:32]), modes.CBC(iv)).decryptor()
    padded = cipher.update(ciphertext) + cipher.finalize()
    fill = padded[-1]
    refuse_unless(1 <= fill <= 16 and padded.endswith(bytes([fill]) * fill), "undecryptable")
    return padded[:-fill]


# ---- Key validation: spec/identity.md ------------------------------------------------------------

SPKI_PREFIX = bytes.fromhex("308201a2300d06092a864886f70d01010105000382018f003082018a0282018100")
SPKI_SUFFIX = bytes.fromhex("0203010001")

X25519_SMALL = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}
ED25519_SMALL = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}


def check_x25519(key):
    refuse_unless(len(key) == 32 and int.from_bytes(key, "little") < P25519, "invalid-key")
    refuse_unless(key.hex() not in X25519_SMALL, "invalid-key")


def check_ed25519(key):
    refuse_unless(len(key) == 32, "invalid-key")
    cleared = key[:31] + bytes([key[31] & 0x7F])
    refuse_unless(int.from_bytes(cleared, "little") < P25519, "invalid-key")
    refuse_unless(cleared.hex() not in ED25519_SMALL, "invalid-key")


def check_ml_kem(key):
    refuse_unless(len(key) == 1184, "invalid-key")
    for i in range(0, 1152, 3):
        a, b, c = key[i : i + 3]
        refuse_unless(a + 256 * (b % 16) < 3329 and b // 16 + 16 * c < 3329, "invalid-key")


def modulus(spki):
    return int.from_bytes(spki[33 : 33 + 384], "big")


def check_rsa(spki):
    shape = len(spki) == 422 and spki.startswith(SPKI_PREFIX) and spki.endswith(SPKI_SUFFIX)
    refuse_unless(shape, "invalid-key")
    n = modulus(spki)
    refuse_unless(n >> 3071 == 1 and n % 2 == 1, "invalid-key")
    refuse_unless(all(n % p for p in SMALL_PRIMES) and n % 65537, "invalid-key")
    refuse_unless(not all(n % r in powers for r, powers in ROCA), "invalid-key")
    root = math.isqrt(n - 1) + 1
    for a in range(root, root + 100):
        rest = a * a - n
        refuse_unless(math.isqrt(rest) ** 2 != rest, "invalid-key")
    refuse_unless(pow(2, n - 1, n) != 1, "invalid-key")


def primes_below(limit):
    sieve = bytearray([1]) * limit
    for i in range(2, math.isqrt(limit) + 1):
        sieve[i * i :: i] = bytes(len(sieve[i * i :: i]))
    return [i for i in range(2, limit) if sieve[i]]


SMALL_PRIMES = primes_below(20000)
ROCA = [(r, {pow(65537, i, r) for i in range(r)}) for r in SMALL_PRIMES[1:] if r <= 167]
