"""ML-KEM-768 (FIPS 203) in plain Python: for tests only. It is slow and its time shows its secrets.

Algorithm numbers are those of FIPS 203. Kept apart from the client so that one with a library for it
reads only the three functions at the end.
"""

import hashlib
import hmac

N, Q, K, ETA, DU, DV = 256, 3329, 3, 2, 10, 4

EK_BYTES = 384 * K + 32
CIPHERTEXT_BYTES = 32 * (DU * K + DV)


def bit_reversed(i):
    return int(f"{i:07b}"[::-1], 2)


ZETAS = [pow(17, bit_reversed(i), Q) for i in range(128)]
GAMMAS = [pow(17, 2 * bit_reversed(i) + 1, Q) for i in range(128)]


def ntt(f):
    """Algorithm 9."""
    f, i, length = list(f), 1, 128
    while length >= 2:
        for start in range(0, N, 2 * length):
            zeta = ZETAS[i]
            i += 1
            for j in range(start, start + length):
                t = zeta * f[j + length] % Q
                f[j + length] = (f[j] - t) % Q
                f[j] = (f[j] + t) % Q
        length //= 2
    return f


def inverse_ntt(f):
    """Algorithm 10."""
    f, i, length = list(f), 127, 2
    while length <= 128:
        for start in range(0, N, 2 * length):
            zeta = ZETAS[i]
            i -= 1
            for j in range(start, start + length):
                t = f[j]
                f[j] = (t + f[j + length]) % Q
                f[j + length] = zeta * (f[j + length] - t) % Q
        length *= 2
    return [x * 3303 % Q for x in f]


def multiply(f, g):
    """Algorithm 11: the product of two polynomials in NTT form."""
    h = []
    for i in range(128):
        a0, a1, b0, b1 = f[2 * i], f[2 * i + 1], g[2 * i], g[2 * i + 1]
        h += [(a0 * b0 + a1 * b1 * GAMMAS[i]) % Q, (a0 * b1 + a1 * b0) % Q]
    return h


def add(f, g):
    return [(a + b) % Q for a, b in zip(f, g)]


def inner(row, vector):
    total = [0] * N
    for f, g in zip(row, vector):
        total = add(total, multiply(f, g))
    return total


def sample_ntt(seed):
    """Algorithm 7: uniform, by rejection. 1,536 bytes of SHAKE are enough but for odds of 2^-200."""
    stream, f = hashlib.shake_128(seed).digest(1536), []
    for c in range(0, len(stream), 3):
        low = stream[c] + 256 * (stream[c + 1] % 16)
        high = stream[c + 1] // 16 + 16 * stream[c + 2]
        f += [d for d in (low, high) if d < Q]
    return f[:N]


def sample_cbd(seed, counter):
    """Algorithm 8, of PRF(seed, counter)."""
    bits = bits_of(hashlib.shake_256(seed + bytes([counter])).digest(64 * ETA))
    return [
        (sum(bits[2 * i * ETA : (2 * i + 1) * ETA]) - sum(bits[(2 * i + 1) * ETA : (2 * i + 2) * ETA])) % Q
        for i in range(N)
    ]


def bits_of(data):
    return [byte >> i & 1 for byte in data for i in range(8)]


def encode(d, f):
    """Algorithm 5: ByteEncode."""
    whole = sum(x << (d * i) for i, x in enumerate(f))
    return whole.to_bytes(32 * d, "little")


def decode(d, data):
    """Algorithm 6: ByteDecode."""
    whole, modulus = int.from_bytes(data, "little"), Q if d == 12 else 1 << d
    return [(whole >> (d * i) & (1 << d) - 1) % modulus for i in range(N)]


def compress(d, f):
    return [((x << d) + Q // 2) // Q % (1 << d) for x in f]


def decompress(d, f):
    return [(x * Q + (1 << d - 1)) >> d for x in f]


def matrix(rho):
    return [[sample_ntt(rho + bytes([j, i])) for j in range(K)] for i in range(K)]


def pke_keypair(d):
    """Algorithm 13."""
    seed = hashlib.sha3_512(d + bytes([K])).digest()
    rho, sigma = seed[:32], seed[32:]
    a = matrix(rho)
    s = [ntt(sample_cbd(sigma, i)) for i in range(K)]
    e = [ntt(sample_cbd(sigma, K + i)) for i in range(K)]
    t = [add(inner(a[i], s), e[i]) for i in range(K)]
    return b"".join(encode(12, f) for f in t) + rho, b"".join(encode(12, f) for f in s)


def pke_encrypt(ek, message, coins):
    """Algorithm 14."""
    t = [decode(12, ek[384 * i : 384 * (i + 1)]) for i in range(K)]
    a = matrix(ek[384 * K :])
    y = [ntt(sample_cbd(coins, i)) for i in range(K)]
    e1 = [sample_cbd(coins, K + i) for i in range(K)]
    e2 = sample_cbd(coins, 2 * K)
    u = [add(inverse_ntt(inner([a[j][i] for j in range(K)], y)), e1[i]) for i in range(K)]
    mu = decompress(1, decode(1, message))
    v = add(add(inverse_ntt(inner(t, y)), e2), mu)
    return b"".join(encode(DU, compress(DU, f)) for f in u) + encode(DV, compress(DV, v))


def pke_decrypt(dk, ciphertext):
    """Algorithm 15."""
    size = 32 * DU
    u = [decompress(DU, decode(DU, ciphertext[size * i : size * (i + 1)])) for i in range(K)]
    v = decompress(DV, decode(DV, ciphertext[size * K :]))
    s = [decode(12, dk[384 * i : 384 * (i + 1)]) for i in range(K)]
    product = inverse_ntt(inner(s, [ntt(f) for f in u]))
    return encode(1, compress(1, [(a - b) % Q for a, b in zip(v, product)]))


def encapsulation_key(seed):
    """The encapsulation key, 1184 bytes, of a pair kept as its seed d || z (64)."""
    return pke_keypair(seed[:32])[0]


def encapsulate(ek, coins):
    """Algorithm 17: (ciphertext, shared secret), with m = coins (32)."""
    key = hashlib.sha3_512(coins + hashlib.sha3_256(ek).digest()).digest()
    return pke_encrypt(ek, coins, key[32:]), key[:32]


def decapsulate(seed, ciphertext):
    """Algorithm 18, from the seed d || z. A ciphertext that was not made for the key gives a secret, too."""
    ek, dk = pke_keypair(seed[:32])
    message = pke_decrypt(dk, ciphertext)
    key = hashlib.sha3_512(message + hashlib.sha3_256(ek).digest()).digest()
    if hmac.compare_digest(pke_encrypt(ek, message, key[32:]), ciphertext):
        return key[:32]
    return hashlib.shake_256(seed[32:] + ciphertext).digest(32)
