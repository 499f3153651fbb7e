#!/usr/bin/env python3
"""Verify a detached CMS signature by bign-curve256v1 with belt-hash, from the published standards alone.

Usage: bign.py MESSAGE SIGNATURE.p7s [ISSUER.pem]

Written from STB 34.101.31 (belt-hash), STB 34.101.45 (bign, algorithm 7.1.4) and RFC 5652, with plain integers and
Python's standard library only. ISSUER.pem: the certificate whose key must have signed the signer's. Dates, key usage
and revocation aren't looked at. Prints `ok` (exit 0), or `FAILED: why` (exit 1).

As a module: belt_hash(bytes), bash_hash(size, bytes), verify(public_key, digest, signature), verify_cms(cms, content), and
verify_certificate(certificate, issuer).
"""
import base64
import sys

# ---------------------------------------------------------------- belt-hash (STB 34.101.31)

# The substitution H: x goes to SUBSTITUTION[x].
SUBSTITUTION = bytes.fromhex(
    "b194bac80a08f53b366d008e584a5de48504fa9d1bb6c7ac252e72c202fdce0d"
    "5be3d61217b96181fe6786ad716b890b5cb0c0ff33c356b835c405aed8e07f99"
    "e12bdc1ae28257ec703fccf095ee8df1c1ab76389fe678caf7c6f860d5bb9c4f"
    "f33c657b637c306add4ea7799eb23d313e98b56e27d3bccf591e181f4c5ab793"
    "e9dee72c8f0c0fa62ddb49f46f73964706075316ed247a3739cba38303a98bf6"
    "92bd9b1ce5d141015445fbc95e4d0ef2682080aa227d642f2687f93490405511"
    "be32971343fc9a48a02a885f194b09a17ecda4d01544af8ca58450bf66d2e88a"
    "a2d7465242a8dfb36974c551eb232921d4efd9b43a622875911410ea776cda1d")
WORD = 0xFFFFFFFF


def _g(turn, word):
    """G_turn: the substitution on each byte of a word, then a rotation to the left."""
    word = int.from_bytes(bytes(SUBSTITUTION[b] for b in word.to_bytes(4, "little")), "little")
    return (word << turn | word >> 32 - turn) & WORD


def _words(data):
    return [int.from_bytes(data[i:i + 4], "little") for i in range(0, len(data), 4)]


def belt_block(block, key):
    """belt-block encryption of 16 bytes under 32 (6.1.3)."""
    a, b, c, d = _words(block)
    keys = _words(key)
    for i in range(1, 9):
        k = [keys[(7 * (i - 1) + j) % 8] for j in range(7)]
        b ^= _g(5, (a + k[0]) & WORD)
        c ^= _g(21, (d + k[1]) & WORD)
        a = (a - _g(13, (b + k[2]) & WORD)) & WORD
        e = _g(21, (b + c + k[3]) & WORD) ^ i
        b, c = (b + e) & WORD, (c - e) & WORD
        d = (d + _g(13, (c + k[4]) & WORD)) & WORD
        b ^= _g(21, (a + k[5]) & WORD)
        c ^= _g(5, (d + k[6]) & WORD)
        a, b = b, a
        c, d = d, c
        b, c = c, b
    return b"".join(word.to_bytes(4, "little") for word in (b, d, a, c))


def _xor(x, y):
    return bytes(a ^ b for a, b in zip(x, y))


def _compress(block, state):
    """belt-compress: (sigma1, sigma2) of 32 bytes of message and 32 of state."""
    both = _xor(state[:16], state[16:])
    first = _xor(belt_block(both, block), both)
    left = _xor(belt_block(block[:16], first + state[16:]), block[:16])
    right = _xor(belt_block(block[16:], bytes(255 - b for b in first) + state[:16]), block[16:])
    return first, left + right


def belt_hash(data):
    state, total = SUBSTITUTION[:32], bytes(16)
    for at in range(0, len(data), 32):
        first, state = _compress(data[at:at + 32].ljust(32, b"\0"), state)
        total = _xor(total, first)
    return _compress((8 * len(data)).to_bytes(16, "little") + total, state)[1]


# ---------------------------------------------------------------- bash (STB 34.101.77): digests of some time-stamps

BASH_HASHES = {"1.2.112.0.2.0.34.101.77.11": 32, "1.2.112.0.2.0.34.101.77.12": 48, "1.2.112.0.2.0.34.101.77.13": 64}
_BASH_ORDER = (15, 10, 9, 12, 11, 14, 13, 8, 17, 16, 19, 18, 21, 20, 23, 22, 6, 3, 0, 5, 2, 7, 4, 1)
_LONG = 2**64 - 1


def _turn(word, by):
    return (word << by | word >> 64 - by) & _LONG


def _bash_f(state):
    constant = 0x3BF5080AC8BA94B1
    for _ in range(24):
        turns = (8, 53, 14, 1)
        for j in range(8):
            a, b, c = state[j], state[8 + j], state[16 + j]
            first, a = _turn(a, turns[0]), a ^ b ^ c
            mixed = b ^ _turn(a, turns[1])
            b, c = first ^ mixed, c ^ _turn(c, turns[2]) ^ _turn(mixed, turns[3])
            state[j], state[8 + j], state[16 + j] = a ^ (~c & _LONG | b), b ^ (a | c), c ^ (a & b)
            turns = tuple(7 * turn % 64 for turn in turns)
        state = [state[i] for i in _BASH_ORDER]
        state[23] ^= constant
        constant = constant >> 1 ^ (0xDC2BE1997FE0D8AE if constant & 1 else 0)
    return state


def bash_hash(size, data):
    """The bash digest of `size` bytes: 32, 48 or 64."""
    state, block = [0] * 23 + [size], 192 - 2 * size
    data += b"\x40" + bytes(block - 1 - len(data) % block)
    for at in range(0, len(data), block):
        for i in range(block // 8):
            state[i] = int.from_bytes(data[at + 8 * i:at + 8 * i + 8], "little")
        state = _bash_f(state)
    return b"".join(word.to_bytes(8, "little") for word in state)[:size]


# ---------------------------------------------------------------- bign-curve256v1 (STB 34.101.45, table B.1)

BELT_HASH, BIGN_KEY, CURVE, BIGN_WITH_BELT = (
    "1.2.112.0.2.0.34.101.31.81", "1.2.112.0.2.0.34.101.45.2.1", "1.2.112.0.2.0.34.101.45.3.1", "1.2.112.0.2.0.34.101.45.12")
BELT_HASH_DER = bytes.fromhex("06092a7000020022651f51")
P = 2**256 - 189
A = P - 3
B = int.from_bytes(bytes.fromhex("f1039cd66b7d2eb253928b976950f54cbefbd8e4ab3ac1d2eda8f315156cce77"), "little")
Q = int.from_bytes(bytes.fromhex("07663d2699bf5a7efc4dfb0dd68e5cd9ffffffffffffffffffffffffffffffff"), "little")
G = (0, int.from_bytes(bytes.fromhex("936a510418cf291e52f608c4663991785d83d651a3c9e45c9fd616fb3cfcf76b"), "little"))


class Refused(Exception):
    """Not a good signature; the message says why."""


def _add(m, n):
    """The sum of two points; None is the point at infinity."""
    if m is None or n is None:
        return n if m is None else m
    if m[0] == n[0]:
        if (m[1] + n[1]) % P == 0:
            return None
        slope = (3 * m[0] * m[0] + A) * pow(2 * m[1], -1, P)
    else:
        slope = (n[1] - m[1]) * pow(n[0] - m[0], -1, P)
    x = (slope * slope - m[0] - n[0]) % P
    return x, (slope * (m[0] - x) - m[1]) % P


def _times(number, point):
    total = None
    while number:
        if number & 1:
            total = _add(total, point)
        point, number = _add(point, point), number >> 1
    return total


def verify(public_key, digest, signature):
    """Whether `signature` (48 bytes) over a belt-hash `digest` is that of `public_key` (64 bytes). Algorithm 7.1.4."""
    if len(public_key) != 64 or len(digest) != 32 or len(signature) != 48:
        return False
    key = int.from_bytes(public_key[:32], "little"), int.from_bytes(public_key[32:], "little")
    if max(key) >= P or (key[1] ** 2 - key[0] ** 3 - A * key[0] - B) % P:
        return False
    s0, s1 = int.from_bytes(signature[:16], "little"), int.from_bytes(signature[16:], "little")
    if s1 >= Q:
        return False
    point = _add(_times((s1 + int.from_bytes(digest, "little")) % Q, G), _times((s0 + 2**128) % Q, key))
    if point is None:
        return False
    return belt_hash(BELT_HASH_DER + point[0].to_bytes(32, "little") + digest)[:16] == signature[:16]


# ---------------------------------------------------------------- DER, CMS, certificates


class Node:
    """One element of a DER encoding."""

    def __init__(self, data, at=0):
        if len(data) < at + 2 or data[at] & 0x1F == 0x1F:
            raise Refused("DER: cut short, or a long tag")
        self.tag, length, body = data[at], data[at + 1], at + 2
        if length >= 0x80:
            count = length & 0x7F
            length, body = int.from_bytes(data[body:body + count], "big"), body + count
            if count == 0 or length < 0x80 or length >> 8 * (count - 1) == 0:
                raise Refused("DER: a length that isn't minimal")
        self.end = body + length
        if self.end > len(data):
            raise Refused("DER: cut short")
        self.raw, self.value = data[at:self.end], data[body:self.end]

    def children(self):
        at = 0
        while at < len(self.value):
            child = Node(self.value, at)
            yield child
            at = child.end

    def oid(self):
        if self.tag != 0x06 or not self.value:
            raise Refused("DER: no object identifier where one must be")
        numbers, number = [], 0
        for byte in self.value:
            number = number << 7 | byte & 0x7F
            if byte < 0x80:
                numbers.append(number)
                number = 0
        first = min(numbers[0] // 40, 2)
        return ".".join(map(str, [first, numbers[0] - 40 * first, *numbers[1:]]))


def _whole(data):
    node = Node(data)
    if node.end != len(data):
        raise Refused("bytes after the end")
    return node


class Certificate:
    def __init__(self, data):
        self.raw = data
        body, algorithm, signature = _whole(data).children()
        fields = list(body.children())
        if fields[0].tag == 0xA0:
            fields.pop(0)
        self.body, self.signature = body.raw, signature.value[1:]
        self.algorithm, self.inner_algorithm = algorithm.raw, fields[1].raw
        self.serial, self.issuer, self.subject = fields[0].raw, fields[2].raw, fields[4].raw
        key_algorithm, key = fields[5].children()
        if [node.oid() for node in key_algorithm.children()] != [BIGN_KEY, CURVE]:
            raise Refused("the certificate's key isn't one of bign-curve256v1")
        if key.tag != 0x03 or key.value[:1] != b"\0":
            raise Refused("the certificate's key isn't a string of whole bytes")
        self.key = key.value[1:]


def _algorithm(node):
    return next(node.children()).oid()


def verify_certificate(certificate, issuer):
    """Raises Refused unless the issuer's key signed the certificate (both DER)."""
    one, by = Certificate(certificate), Certificate(issuer)
    if one.issuer != by.subject:
        raise Refused("the certificate names another issuer")
    if one.algorithm != one.inner_algorithm or _algorithm(_whole(one.algorithm)) != BIGN_WITH_BELT:
        raise Refused("the certificate isn't signed by bign with belt-hash")
    if not verify(by.key, belt_hash(one.body), one.signature):
        raise Refused("the certificate isn't signed by its issuer's key")


def verify_cms(data, content):
    """Raises Refused unless `data` is a detached CMS of one bign signature over `content`; gives the signer's
    certificate, as DER, which the caller has still to trust."""
    kind, holder = _whole(data).children()
    if kind.oid() != "1.2.840.113549.1.7.2":
        raise Refused("isn't a CMS SignedData")
    parts = list(next(holder.children()).children())
    inner = list(parts[2].children())
    if len(inner) != 1 or inner[0].oid() != "1.2.840.113549.1.7.1":
        raise Refused("isn't detached, or not over data")
    signers = list(parts[-1].children())
    if parts[-1].tag != 0x31 or len(signers) != 1:
        raise Refused("hasn't exactly one signer")
    fields = list(signers[0].children())
    _, name, digest, signed, algorithm, signature = fields[:6]
    if signed.tag != 0xA0 or signature.tag != 0x04:
        raise Refused("has no signed attributes or no signature")
    if _algorithm(digest) != BELT_HASH or _algorithm(algorithm) != BIGN_WITH_BELT:
        raise Refused("its algorithms aren't belt-hash and bign with belt-hash")
    attributes = {}
    for attribute in signed.children():
        kind, values = attribute.children()
        if kind.oid() in attributes:
            raise Refused("an attribute stands twice")
        attributes[kind.oid()] = list(values.children())
    stated = attributes.get("1.2.840.113549.1.9.4", [])
    if len(stated) != 1 or stated[0].tag != 0x04 or stated[0].value != belt_hash(content):
        raise Refused("is over other bytes: messageDigest differs")
    kinds = attributes.get("1.2.840.113549.1.9.3", [])
    if len(kinds) != 1 or kinds[0].oid() != "1.2.840.113549.1.7.1":
        raise Refused("the attribute contentType is missing or another")
    certificates = [c.raw for p in parts if p.tag == 0xA0 for c in p.children()]
    mine = [c for c in map(Certificate, certificates) if c.issuer + c.serial == name.value]
    if len(mine) != 1:
        raise Refused("doesn't carry its signer's certificate")
    marks = attributes.get("1.2.840.113549.1.9.16.2.47", [])  # signingCertificateV2, RFC 5035
    if len(marks) != 1:
        raise Refused("the attribute signingCertificateV2 is missing")
    mark = list(next(next(marks[0].children()).children()).children())  # certs, the first ESSCertIDv2
    if mark[0].tag != 0x30 or _algorithm(mark[0]) != BELT_HASH or mark[1].value != belt_hash(mine[0].raw):
        raise Refused("the attribute signingCertificateV2 names another certificate")
    if not verify(mine[0].key, belt_hash(b"\x31" + signed.raw[1:]), signature.value):
        raise Refused("the signature isn't of that certificate's key")
    return mine[0].raw


def certificate_of_pem(text):
    body = text.split("-----BEGIN CERTIFICATE-----")[1].split("-----END CERTIFICATE-----")[0]
    return base64.b64decode(body)


def main(message, signature, issuer=None):
    try:
        with open(message, "rb") as one, open(signature, "rb") as other:
            signer = verify_cms(other.read(), one.read())
        if issuer is not None:
            with open(issuer, encoding="ascii") as file:
                verify_certificate(signer, certificate_of_pem(file.read()))
    except Refused as why:
        print(f"FAILED: {why}")
        return 1
    except (ValueError, IndexError, StopIteration) as why:
        print(f"FAILED: the structure isn't a bign signature's ({why})")
        return 1
    print("ok")
    return 0


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
