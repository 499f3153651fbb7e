#!/usr/bin/env python3
# Longer than 500 lines because it is one file that can be carried to any machine.
"""Verify a case folder, a disclosure or a signature from the published formats alone.

Usage: verify.py CASE|disclosure.json [--trust CA.pem] [--evidence E1=RAWIMAGE]...
       verify.py --content FILE --signature P7S [--timestamp TSR] [--trust CA.pem]

Written from spec/manifest.md and spec/findings.md, never from Exhibit's code: Python's standard
library and the `openssl` command only, in one file that can be carried to any machine. Signatures by
GOST R 34.10-2012 need OpenSSL's gost engine, those by bign the file bign.py beside this one; without
them they are `not checked`. One line a check:

    ok  NAME: detail
    FAILED  NAME: detail
    not checked: why  NAME: detail

and last `verdict: verified` (exit 0) or `verdict: NOT VERIFIED` (exit 1).

Where the specification leaves something open, this script is tolerant, and only there:
 1. A match whose `item` names a volume (bytes that belong to no item) stands after the volume's
    items and before the volume's own problems; one that names the evidence, before its problems.
 2. Strings in the order of matches and problems compare as UTF-8 bytes; a match without `where`
    stands before those with one; records with equal keys may stand in any order.
 3. A problem below an item that has no record of its own (an archive member) stands with the
    item's problems or with the volume's own.
 4. custody `seq` begins at 1 and has no gaps. The ledger may go on after the manifest was made
    (`sealed`, `disclosed`, …): `custody.head` is the digest of line number `custody.events`.
 5. A custody signature needs no time-stamp; else it is like the manifest's.
 6. A time-stamp may stand as `.tsr`, as unsigned attribute, or both; each one present must hold.
 7. `previous` of the manifest and the `inputs` name files that aren't in the folder: not checked.
 8. A class absent from `coverage.bytes` counts 0.
 9. The classes of a nested or overlapping volume aren't compared with those of its neighbours.
10. File modes aren't part of the claim.
11. A `.tsr` is over the signature value, as in CAdES-T, or over the whole `.p7s` as it lies there;
    the unsigned attribute can only be over the signature value.
"""

import argparse
import base64
import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
import tempfile
from calendar import timegm
from pathlib import Path

try:
    import bign
except ImportError:  # carried without it
    bign = None

MAX_INTEGER = 2**53
ZERO_DIGEST = "0" * 64
STRONG = ["-auth_level", "2"]  # of a path: no SHA-1, no key of fewer than 112 bits of strength; openssl's own is 0
CLOCK_TOLERANCE = 300  # seconds that a signer's clock may be ahead of a time-stamp authority's


class Refused(Exception):
    """The bytes aren't what the format says they must be."""


# ---------------------------------------------------------------- RFC 8785


def _pairs(pairs):
    result = {}
    for key, value in pairs:
        if key in result:
            raise Refused(f"duplicate key {key!r}")
        result[key] = value
    return result


def _integer(text):
    if len(text) > 17 or abs(int(text)) > MAX_INTEGER:
        raise Refused(f"integer beyond 2^53: {text[:24]}")
    return int(text)


def _no_float(text):
    raise Refused(f"not an integer: {text[:24]}")


def parse(data):
    """Strict JSON from bytes: no duplicate keys, floats, big integers or broken UTF-8."""
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_pairs, parse_int=_integer,
                          parse_float=_no_float, parse_constant=_no_float)
    except RecursionError:
        raise Refused("nested too deeply") from None
    except ValueError as error:
        raise Refused(f"not JSON: {error}") from None


_SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def _string(text):
    out = []
    for char in text:
        if char in _SHORT:
            out.append(_SHORT[char])
        elif char < " ":
            out.append(f"\\u{ord(char):04x}")
        else:
            out.append(char)
    return '"' + "".join(out) + '"'


def _write(value):
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, list):
        return "[" + ",".join(map(_write, value)) + "]"
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(_string(key) + ":" + _write(value[key]) for key in keys) + "}"
    raise Refused(f"no canonical form for {type(value).__name__}")


def canonical(value):
    """The RFC 8785 bytes of a value made of integers, strings, lists and objects."""
    try:
        return _write(value).encode("utf-8")
    except UnicodeEncodeError:
        raise Refused("lone surrogate in a string") from None


def parse_canonical(data):
    value = parse(data)
    if canonical(value) != data:
        raise Refused("not in canonical form")
    return value


def lines_of(data, name):
    """The lines of a JSON Lines file; each ends in LF, and no line is empty."""
    if not data:
        return []
    if not data.endswith(b"\n"):
        raise Refused(f"{name}: the last line has no LF")
    return data[:-1].split(b"\n")


# ---------------------------------------------------------------- digests and RFC 9162 trees

ALGORITHMS = {"md5": hashlib.md5, "sha1": hashlib.sha1, "sha256": hashlib.sha256,
              "sha512": hashlib.sha512, "sha3-256": hashlib.sha3_256, "blake2b": hashlib.blake2b}


class BeltHash:
    """belt-hash (STB 34.101.31) in the manner of hashlib."""

    def __init__(self, data):
        self.value = bign.belt_hash(data)

    def digest(self):
        return self.value

    def hexdigest(self):
        return self.value.hex()


# Those of findings files and trees; whole images have no digest by a function without `update`.
RECORD_ALGORITHMS = {**ALGORITHMS, **({"belt256": BeltHash} if bign else {})}


def sha256(data):
    return hashlib.sha256(data).digest()


def tree_root(leaves, digest=sha256):
    """RFC 9162 section 2.1: leaves are leaf hashes; no duplication of odd ones."""
    stack = []  # (hash, level): complete subtrees from left to right
    for leaf in leaves:
        node, level = leaf, 0
        while stack and stack[-1][1] == level:
            node, level = digest(b"\x01" + stack.pop()[0] + node), level + 1
        stack.append((node, level))
    if not stack:
        return digest(b"")
    node = stack.pop()[0]
    while stack:
        node = digest(b"\x01" + stack.pop()[0] + node)
    return node


def salt(key, index):
    return hmac.new(key, b"exhibit-salt" + index.to_bytes(8, "big"), hashlib.sha256).digest()


def root_of_path(leaf, index, size, path, digest=sha256):
    """RFC 9162 section 2.1.3.2: the root to which an audit path leads."""
    if index >= size:
        raise Refused("an index beyond the tree")
    node, last = leaf, size - 1
    for sibling in path:
        if last == 0:
            raise Refused("an audit path that is too long")
        if index & 1 or index == last:
            node = digest(b"\x01" + sibling + node)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            node = digest(b"\x01" + node + sibling)
        index, last = index >> 1, last >> 1
    if last:
        raise Refused("an audit path that is too short")
    return node


def root_of_range(leaves, first, size, outside, digest=sha256):
    """The root, from the leaves first, first + 1, … and the roots of the subtrees that hold none of them."""
    rest = list(outside)

    def walk(low, high):
        if high <= first or low >= first + len(leaves):
            if not rest:
                raise Refused("a range proof with too few hashes")
            return rest.pop(0)
        if high - low == 1:
            return leaves[low - first]
        middle = low + (1 << (high - low - 1).bit_length() - 1)
        left = walk(low, middle)
        return digest(b"\x01" + left + walk(middle, high))

    if not leaves or first + len(leaves) > size:
        raise Refused("a range beyond the tree")
    root = walk(0, size)
    if rest:
        raise Refused("a range proof with too many hashes")
    return root


def content_key(digest):
    """An entry of a content tree, for the raw SHA-256 of a content."""
    return sha256(b"exhibit-content" + digest)


def salted_root(lines, key, digest=sha256):
    return tree_root((digest(b"\x00" + salt(key, i) + line) for i, line in enumerate(lines)), digest)


# ---------------------------------------------------------------- DER (X.690), just enough for CMS


class Der:
    """One TLV of a DER encoding, with its children read on demand."""

    def __init__(self, data, start=0, limit=None):
        limit = len(data) if limit is None else limit
        if start + 2 > limit:
            raise Refused("DER: cut short")
        self.data, self.start, self.tag = data, start, data[start]
        first, at = data[start + 1], start + 2
        if self.tag & 0x1F == 0x1F:
            raise Refused("DER: long tag")
        if first == 0x80:
            raise Refused("DER: indefinite length")
        if first > 0x80:
            count = first & 0x7F
            raw = data[at:at + count]
            length = int.from_bytes(raw, "big")
            if len(raw) != count or raw[0] == 0 or length < 0x80:
                raise Refused("DER: length not minimal")
            at += count
        else:
            length = first
        self.body, self.end = at, at + length
        if self.end > limit:
            raise Refused("DER: longer than what holds it")

    @property
    def value(self):
        return self.data[self.body:self.end]

    @property
    def raw(self):
        return self.data[self.start:self.end]

    def children(self):
        at, found = self.body, []
        while at < self.end:
            found.append(Der(self.data, at, self.end))
            at = found[-1].end
        return found

    def expect(self, tag, what):
        if self.tag != tag:
            raise Refused(f"DER: {what} expected, tag {self.tag:#04x} found")
        return self

    def oid(self):
        self.expect(0x06, "object identifier")
        numbers, value = [], 0
        for byte in self.value:
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                numbers.append(value)
                value = 0
        first = min(numbers[0] // 40, 2)
        return ".".join(map(str, [first, numbers[0] - 40 * first] + numbers[1:]))

    def time(self):
        """Seconds since 1970 of a UTCTime or GeneralizedTime in UTC."""
        text = self.value.decode("ascii", "replace")
        if self.tag == 0x17:
            text = ("19" if text[:2] >= "50" else "20") + text
        match = re.fullmatch(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.\d+)?Z", text)
        if self.tag not in (0x17, 0x18) or not match:
            raise Refused("DER: time in UTC expected")
        return timegm(tuple(map(int, match.groups())))


def whole(data, what):
    node = Der(data)
    if node.end != len(data):
        raise Refused(f"{len(data) - node.end} bytes after the end of the {what}")
    return node.expect(0x30, what)


OID_SIGNED_DATA = "1.2.840.113549.1.7.2"
OID_DATA = "1.2.840.113549.1.7.1"
OID_TST_INFO = "1.2.840.113549.1.9.16.1.4"
OID_CONTENT_TYPE = "1.2.840.113549.1.9.3"
OID_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
OID_SIGNING_TIME = "1.2.840.113549.1.9.5"
OID_SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
OID_TIME_STAMP_TOKEN = "1.2.840.113549.1.9.16.2.14"
DIGEST_OIDS = {"2.16.840.1.101.3.4.2.1": hashlib.sha256, "2.16.840.1.101.3.4.2.2": hashlib.sha384,
               "2.16.840.1.101.3.4.2.3": hashlib.sha512}
GOST, STB = "1.2.643.", "1.2.112."  # national suites: stock OpenSSL has the names but no algorithms
GOST_DIGESTS = {"1.2.643.7.1.1.2.2": "-md_gost12_256", "1.2.643.7.1.1.2.3": "-md_gost12_512"}


class Streebog:
    """GOST R 34.11-2012 by OpenSSL's gost engine, in the manner of hashlib."""

    def __init__(self, data, option):
        self.value = subprocess.run(["openssl", "dgst", "-engine", "gost", option, "-binary"], input=data,
                                    capture_output=True, check=True).stdout

    def digest(self):
        return self.value


class BashHash:
    """bash (STB 34.101.77), in the manner of hashlib."""

    def __init__(self, data, size):
        self.value = bign.bash_hash(size, data)

    def digest(self):
        return self.value


def digest_of(oid):
    """The digest function of an object identifier; None where there is none here."""
    if oid in GOST_DIGESTS and has_gost():
        return lambda data: Streebog(data, GOST_DIGESTS[oid])
    if bign and oid in bign.BASH_HASHES:
        return lambda data: BashHash(data, bign.BASH_HASHES[oid])
    return BeltHash if bign and oid == bign.BELT_HASH else DIGEST_OIDS.get(oid)


_HAS_GOST = []


def has_gost():
    if not _HAS_GOST:
        found = subprocess.run(["openssl", "engine", "gost"], capture_output=True, text=True)
        _HAS_GOST.append(found.returncode == 0 and "gost" in found.stdout)
    return _HAS_GOST[0]


def attributes(node):
    result = {}
    for attribute in node.children():
        oid, values = attribute.children()
        result.setdefault(oid.oid(), []).extend(values.expect(0x31, "attribute values").children())
    return result


class Signer:
    """One SignerInfo of RFC 5652."""

    def __init__(self, node):
        parts = node.expect(0x30, "SignerInfo").children()
        self.sid, self.digest_oid = parts[1], parts[2].children()[0].oid()
        at = 3
        self.signed, self.signed_raw, self.unsigned = {}, b"", {}
        if parts[at].tag == 0xA0:
            self.signed, self.signed_raw = attributes(parts[at]), parts[at].raw
            at += 1
        self.signature_oid = parts[at].children()[0].oid()
        self.signature = parts[at + 1].expect(0x04, "signature value").value
        for extra in parts[at + 2:]:
            self.unsigned = attributes(extra.expect(0xA1, "unsigned attributes"))

    def attribute(self, oid, name):
        values = self.signed.get(oid, [])
        if len(values) != 1:
            raise Refused(f"signed attribute {name}: {len(values)} values, 1 expected")
        return values[0]

    def of(self, country):
        return self.signature_oid.startswith(country) or self.digest_oid.startswith(country)

    @property
    def unknown(self):
        """Whether nothing here can check it."""
        return self.of(GOST) and not has_gost() or self.of(STB) and not bign


class SignedData:
    """CMS SignedData (RFC 5652 section 5) in DER, nothing before or after it."""

    def __init__(self, data):
        info = whole(data, "CMS").children()
        if len(info) != 2 or info[0].oid() != OID_SIGNED_DATA:
            raise Refused("not CMS SignedData")
        parts = info[1].children()[0].expect(0x30, "SignedData").children()
        content = parts[2].expect(0x30, "encapContentInfo").children()
        self.content_type = content[0].oid()
        self.content = content[1].children()[0].value if len(content) > 1 else None
        self.certificates = [c for p in parts[3:-1] if p.tag == 0xA0 for c in p.children()]
        self.signers = [Signer(s) for s in parts[-1].expect(0x31, "signerInfos").children()]
        if not self.signers:
            raise Refused("no signer")

    def certificate_of(self, signer):
        for certificate in self.certificates:
            fields = certificate.children()[0].children()
            fields = fields[1:] if fields[0].tag == 0xA0 else fields
            issuer_and_serial = fields[2].raw + fields[0].raw
            if signer.sid.tag == 0x30 and signer.sid.value == issuer_and_serial:
                return certificate
            if signer.sid.tag == 0x80 and signer.sid.value in certificate.raw:
                return certificate
        raise Refused("the signer's certificate isn't in the CMS")


def validity(certificate):
    """notBefore and notAfter."""
    fields = certificate.children()[0].children()
    return [time.time() for time in fields[4 if fields[0].tag == 0xA0 else 3].children()]


def extension(certificate, oid):
    """(its value, whether it is critical); (None, False) where the certificate has none of that kind."""
    for field in certificate.children()[0].children():
        for one in field.children()[0].children() if field.tag == 0xA3 else ():
            parts = one.children()
            if parts[0].oid() == oid:
                return Der(parts[-1].value), parts[1].tag == 0x01 and parts[1].value == b"\xff"
    return None, False


def purposes(certificate):
    """The object identifiers of extKeyUsage; none where it is absent."""
    value, _ = extension(certificate, "2.5.29.37")
    return [one.oid() for one in value.children()] if value else []


RSA, ECDSA = "1.2.840.113549.1.1.1", "1.2.840.10045.2.1"
CURVES = {"1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35"}  # P-256, P-384, P-521
GOST_CURVES = {"1.2.643.7.1.2.1.1.1", "1.2.643.7.1.2.1.1.2", "1.2.643.7.1.2.1.1.3", "1.2.643.7.1.2.1.1.4",
               "1.2.643.7.1.2.1.2.1", "1.2.643.7.1.2.1.2.2", "1.2.643.7.1.2.1.2.3",
               # CryptoPro's names for three of the first four, and for two of them in key exchange
               "1.2.643.2.2.35.1", "1.2.643.2.2.35.2", "1.2.643.2.2.35.3", "1.2.643.2.2.36.0", "1.2.643.2.2.36.1"}
# What may stand as signature algorithm, with the digest that must then stand beside it; None: any of SHA-2.
SHA2_SIGNATURES = {
    RSA: {RSA: None, "1.2.840.113549.1.1.11": "2.16.840.1.101.3.4.2.1", "1.2.840.113549.1.1.12": "2.16.840.1.101.3.4.2.2",
          "1.2.840.113549.1.1.13": "2.16.840.1.101.3.4.2.3"},
    ECDSA: {"1.2.840.10045.4.3.2": "2.16.840.1.101.3.4.2.1", "1.2.840.10045.4.3.3": "2.16.840.1.101.3.4.2.2",
            "1.2.840.10045.4.3.4": "2.16.840.1.101.3.4.2.3"}}


def refuse_unfit(certificate, signer, least_rsa):
    """What `openssl` would let pass: keys that are too weak or for something else, and suites that aren't manifest.md's."""
    usage, _ = extension(certificate, "2.5.29.15")
    if usage and not (usage.value[1:] or b"\0")[0] & 0xC0:  # digitalSignature, nonRepudiation
        raise Refused("the certificate's key usage isn't signing")
    fields = certificate.children()[0].children()
    info = fields[6 if fields[0].tag == 0xA0 else 5].children()
    algorithm = info[0].children()
    kind = algorithm[0].oid()
    if kind not in SHA2_SIGNATURES:
        if not kind.startswith((GOST, STB)):
            raise Refused(f"keys of the kind {kind} aren't accepted")
        if kind.startswith(GOST) and algorithm[1].children()[0].oid() not in GOST_CURVES:
            raise Refused("the key's curve isn't accepted: it is for the standard's example")
        return
    if kind == ECDSA and (algorithm[1].tag != 0x06 or algorithm[1].oid() not in CURVES):
        raise Refused("the key's curve isn't accepted")
    if kind == RSA and int.from_bytes(Der(info[1].value[1:]).children()[0].value, "big").bit_length() < least_rsa:
        raise Refused(f"an RSA key of fewer than {least_rsa} bits")
    if signer.signature_oid not in SHA2_SIGNATURES[kind]:
        raise Refused(f"the signature algorithm {signer.signature_oid} isn't accepted")
    if SHA2_SIGNATURES[kind][signer.signature_oid] not in (None, signer.digest_oid):
        raise Refused("the signature algorithm and the digest don't go together")


TIME_STAMPING = "1.3.6.1.5.5.7.3.8"
OTHER_OFFICES = {TIME_STAMPING, "1.3.6.1.5.5.7.3.9"}  # the latter: revocation answers


class TimeStamp:
    """An RFC 3161 token: what it covers, and when it was made."""

    def __init__(self, token):
        self.token, cms = token, SignedData(token)
        if cms.content_type != OID_TST_INFO or cms.content is None:
            raise Refused("not a time-stamp token")
        info = whole(cms.content, "TSTInfo").children()
        algorithm, imprint = info[2].children()
        self.algorithm, self.imprint = algorithm.children()[0].oid(), imprint.value
        self.time = info[4].time()

    @classmethod
    def of_response(cls, data):
        status, *rest = whole(data, "time-stamp response").children()
        if status.children()[0].value not in (b"\0", b"\1") or len(rest) != 1:
            raise Refused("the authority's answer isn't a granted time-stamp")
        return cls(rest[0].raw)


# ---------------------------------------------------------------- checks


class Report:
    def __init__(self):
        self.failed = 0

    def ok(self, name, detail):
        print(f"ok  {name}: {detail}")

    def fail(self, name, detail):
        self.failed += 1
        print(f"FAILED  {name}: {detail}")

    def skip(self, why, name, detail):
        print(f"not checked: {why}  {name}: {detail}")

    def say(self, good, name, detail):
        (self.ok if good else self.fail)(name, detail)
        return good

    def equal(self, name, claimed, found):
        same = type(claimed) is type(found) and claimed == found
        return self.say(same, name, str(found) if same else f"claimed {claimed!r}, found {found!r}")


class Guard:
    """Turns whatever goes wrong within one check into a FAILED line of its own."""

    def __init__(self, report, name):
        self.report, self.name = report, name

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if isinstance(error, (Refused, OSError)):
            self.report.fail(self.name, str(error))
        elif isinstance(error, Exception):
            self.report.fail(self.name, f"malformed ({kind.__name__}: {error})")
        return isinstance(error, Exception)


def utc(seconds):
    from datetime import datetime, timezone
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def openssl(*arguments, data=b""):
    done = subprocess.run(["openssl", *map(str, arguments)], input=data, capture_output=True)
    message = done.stderr.decode("utf-8", "replace")
    reasons = re.findall(r"(?:Verify error:|verify error:|error:[0-9A-F]*:[^:]*:[^:]*:)([^:\n]+)", message)
    return done.returncode == 0, "; ".join(dict.fromkeys(reasons)) or message.strip().split("\n")[-1]


def exact(where, value, required, optional=()):
    """An object with these keys and no others."""
    if type(value) is not dict:
        raise Refused(f"{where} isn't an object")
    lacking, beside = set(required) - set(value), set(value) - set(required) - set(optional)
    if lacking or beside:
        raise Refused(f"{where} lacks {sorted(lacking)} and has {sorted(beside)} beside what the format knows")


def is_hex(value, size=None):
    return type(value) is str and re.fullmatch("(?:[0-9a-f]{2})+", value) is not None and size in (None, len(value) // 2)


DIGEST_SIZES = {"md5": 16, "sha1": 20, "sha256": 32, "sha512": 64, "sha3-256": 32, "blake2b": 64, "streebog256": 32,
                "streebog512": 64, "belt256": 32}


def digests_form(where, value):
    if type(value) is not dict or "sha256" not in value:
        raise Refused(f"{where} has no sha256")
    for algorithm, digest in value.items():
        if not is_hex(digest, DIGEST_SIZES.get(algorithm)):
            raise Refused(f"{where}.{algorithm} isn't a digest in lower-case hex")


def typed(where, value, kind, *keys):
    for key in keys:
        if type(value.get(key)) is not kind or kind is int and value[key] < 0:
            raise Refused(f"{where}.{key} is missing or of the wrong kind")


def manifest_form(manifest):
    """Every key as manifest.md has it, and none beside, but in `case`, `tool`."""
    exact("the manifest", manifest, ("format", "case", "tool", "inputs", "evidence", "custody", "created"), ("previous",))
    typed("the manifest", manifest, dict, "case", "tool")
    typed("tool", manifest["tool"], str, "name", "version")
    if type(manifest["created"]) is not str or \
            not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z", manifest["created"], re.ASCII):
        raise Refused("created isn't a time in UTC")
    exact("custody", manifest["custody"], ("events", "head"))
    if "previous" in manifest and not is_hex(manifest["previous"], 32):
        raise Refused("previous isn't a SHA-256")
    for given in manifest["inputs"]:
        exact("an input", given, ("kind", "name", "version", "entries", "digests"))
        typed("an input", given, str, "kind", "name", "version")
        typed("an input", given, int, "entries")
        digests_form("an input's digests", given["digests"])
    for evidence in manifest["evidence"]:
        exact("an exhibit", evidence, ("id", "size", "integrity", "findings"), ("digests", "block_root"))
        findings = evidence["findings"]
        exact("findings", findings, ("file", "records", "bytes", "digests", "trees", "counts", "salt_commitment"), ("content",))
        digests_form("findings.digests", findings["digests"])
        digests_form("findings.trees", findings["trees"])
        exact("counts", findings["counts"], ("items", "matches", "problems"))
        if not is_hex(findings["salt_commitment"], 32):
            raise Refused("salt_commitment isn't a SHA-256")
        if "content" in findings:
            exact("content", findings["content"], ("digest", "entries", "without", "trees"))
            digests_form("content.trees", findings["content"]["trees"])
            if set(findings["content"]["trees"]) != set(findings["trees"]):
                raise Refused("the content tree has other digests than the tree")


class Verifier:
    def __init__(self, case, trust, images, report):
        self.case, self.trust, self.images, self.report = Path(case), trust, images, report
        self.scratch = tempfile.TemporaryDirectory()

    def temporary(self, data):
        handle, path = tempfile.mkstemp(dir=self.scratch.name)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        return path

    def run(self):
        report = self.report
        manifest = data = None
        with Guard(report, "manifest.json"):
            data = (self.case / "manifest.json").read_bytes()
            manifest = parse_canonical(data)
            report.ok("manifest.json", f"canonical form, {len(data)} bytes")
        with Guard(report, "manifest"):
            if manifest is not None:
                self.manifest(manifest)
        with Guard(report, "signatures"):
            if data is not None:
                self.signatures(data)
        with Guard(report, "custody.jsonl"):
            self.custody(manifest)
        with Guard(report, "folder"):
            self.folder(manifest)

    # ---- the manifest and what it names

    def form(self, manifest):
        """What the manifest must be by itself."""
        report = self.report
        if not isinstance(manifest, dict):
            raise Refused("not an object")
        report.equal("manifest format", manifest.get("format"), "exhibit-manifest/1")
        for key, kind in (("case", dict), ("tool", dict), ("inputs", list), ("evidence", list),
                          ("custody", dict), ("created", str)):
            if not isinstance(manifest.get(key), kind):
                report.fail(f"manifest {key}", "missing or of the wrong kind")
        manifest_form(manifest)
        if "previous" in manifest:
            report.skip("the replaced manifest isn't in the folder", "manifest previous", manifest["previous"])
        for given in manifest.get("inputs", []):
            report.skip("the file isn't given", f"input {given.get('kind')} {given.get('name')}",
                        str(given.get("digests")))
        identities = [evidence.get("id") for evidence in manifest["evidence"]]
        if not identities or len(set(identities)) != len(identities):
            report.fail("manifest evidence", "none, or an id twice")

    def manifest(self, manifest):
        report = self.report
        self.form(manifest)
        identities = [evidence.get("id") for evidence in manifest["evidence"]]
        for evidence in manifest["evidence"]:
            name = str(evidence.get("id"))
            with Guard(report, name):
                self.evidence(name, evidence)
        for name in self.images:
            if name not in identities:
                report.fail(f"evidence {name}", "given, but the manifest has no such evidence")

    def evidence(self, name, claim):
        report, findings = self.report, claim["findings"]
        path = findings["file"]
        if path != f"findings/{name}.jsonl" or "/" in name or name in ("", ".", ".."):
            raise Refused(f"findings file {path!r}, expected findings/{name}.jsonl")
        data = (self.case / path).read_bytes()
        report.equal(f"{path} bytes", findings["bytes"], len(data))
        self.digests(f"{path} digest", findings["digests"],
                     {a: RECORD_ALGORITHMS[a](data).hexdigest() for a in findings["digests"] if a in RECORD_ALGORITHMS})
        lines = lines_of(data, path)
        report.equal(f"{path} records", findings["records"], len(lines))
        self.trees(name, path, findings, lines)
        records = self.records(path, lines)
        if records is None:
            return
        kinds = [record["record"] for record in records]
        if "content" in findings:
            report.equal(f"{path} content tree", findings["content"], self.content(findings["content"], records))
        report.equal(f"{path} counts", findings["counts"],
                     {"items": kinds.count("item"), "matches": kinds.count("match"),
                      "problems": kinds.count("problem")})
        checks = Findings(name, path, records, report)
        for check in (checks.identities, checks.references, checks.order, checks.coverage):
            with Guard(report, f"{path} {check.__name__}"):
                check()
        own = records[0]
        for key in ("size", "digests", "integrity", "block_root"):
            report.equal(f"{name} {key} as in the evidence record", claim.get(key), own.get(key))
        if name in self.images:
            with Guard(report, f"evidence {name}"):
                Image(name, self.images[name], own, checks, report).check()
        else:
            report.skip("no image given", f"evidence {name}", "whole-media digests, block_root and contents")

    def digests(self, name, claimed, found):
        report = self.report
        if not isinstance(claimed.get("sha256"), str):
            report.fail(f"{name} sha256", "missing")
        for algorithm, value in sorted(claimed.items()):
            if algorithm in found:
                report.equal(f"{name} {algorithm}", value, found[algorithm])
            else:
                report.skip("no such digest in Python's library", f"{name} {algorithm}", str(value))

    def trees(self, name, path, findings, lines):
        report = self.report
        file = self.case / "secret" / f"{name}.salts"
        if not file.exists():  # it never leaves with a disclosure; the findings' digests are over the same bytes
            report.skip("the salt key is not here", f"{path} trees", "and the salt commitment")
            return
        key = file.read_bytes()
        if len(key) != 32:
            report.fail(f"secret/{name}.salts", f"{len(key)} bytes, 32 expected")
        report.equal(f"{name} salt commitment", findings["salt_commitment"], sha256(key).hex())
        if "sha256" not in findings["trees"]:
            report.fail(f"{path} tree sha256", "missing")
        for algorithm, root in sorted(findings["trees"].items()):
            if algorithm in RECORD_ALGORITHMS and algorithm not in ("md5", "sha1"):
                function = RECORD_ALGORITHMS[algorithm]
                found = salted_root(lines, key, lambda data, f=function: f(data).digest()).hex()
                report.equal(f"{path} tree {algorithm}", root, found)
            else:
                report.skip("no such digest in Python's library", f"{path} tree {algorithm}", str(root))

    def content(self, claim, records):
        """The content tree: which contents the findings have a digest of."""
        items = [record for record in records if record["record"] == "item"]
        digests = [item.get("digests", {}).get("sha256") for item in items]
        keys = sorted({content_key(bytes.fromhex(digest)) for digest in digests if is_hex(digest, 32)})
        without = sum(1 for item, digest in zip(items, digests)
                      if not is_hex(digest, 32) and item["kind"] in ("file", "virtual") and item["size"] > 0)
        trees = dict(claim["trees"])  # those that can't be computed here stay as claimed, and are told
        for algorithm in trees:
            function = RECORD_ALGORITHMS.get(algorithm)
            if function is None:
                self.report.skip("no such digest here", f"content tree {algorithm}", trees[algorithm])
                continue
            leaves = [function(b"\x00" + key).digest() for key in keys]
            trees[algorithm] = tree_root(leaves, lambda data, f=function: f(data).digest()).hex()
        return {"digest": "sha256", "entries": len(keys), "without": without, "trees": trees}

    def records(self, path, lines):
        records = []
        for number, line in enumerate(lines, 1):
            try:
                record = parse_canonical(line)
                if not isinstance(record, dict) or not isinstance(record.get("record"), str):
                    raise Refused("not a record")
            except Refused as error:
                self.report.fail(f"{path} canonical form", f"line {number}: {error}")
                return None
            records.append(record)
        if not records or records[0]["record"] != "evidence":
            self.report.fail(f"{path} order", "the first record isn't the evidence")
            return None
        self.report.ok(f"{path} canonical form", f"{len(lines)} lines")
        return records

    # ---- signatures

    def signatures(self, manifest):
        report, good = self.report, 0
        numbers = sorted(int(m[1]) for p in self.case.iterdir()
                         if (m := re.fullmatch(r"manifest\.json\.([1-9]\d*)\.p7s", p.name)))
        for number in numbers:
            base = f"manifest.json.{number}"
            with Guard(report, f"{base}.p7s"):
                response = self.case / f"{base}.tsr"
                good += self.signature(base, (self.case / f"{base}.p7s").read_bytes(),
                                       response.read_bytes() if response.exists() else None, manifest)
        self.enough(numbers, good)

    def enough(self, numbers, good):
        if not numbers:
            self.report.fail("signatures", "the manifest isn't signed")
        elif numbers != list(range(1, len(numbers) + 1)):
            self.report.fail("signatures", f"numbers {numbers}: one was taken away")
        elif not good:
            self.report.fail("signatures", "none that this script can check holds")

    def signature(self, base, data, response, manifest):
        report, name = self.report, f"{base}.p7s"
        cms = SignedData(data)
        if all(signer.unknown for signer in cms.signers):
            report.skip("a national suite that isn't at hand", name, cms.signers[0].signature_oid)
            return False
        if cms.content_type != OID_DATA or cms.content is not None:
            raise Refused("not a detached signature over data")
        failed = report.failed
        for signer in cms.signers:
            self.attributes(name, cms, signer, manifest)
            self.cms(name, data, manifest, signer.attribute(OID_SIGNING_TIME, "signingTime").time())
            self.time_stamps(base, data, response, signer, manifest)
        return report.failed == failed

    def attributes(self, name, cms, signer, content):
        """CAdES-BES: contentType, messageDigest, signingTime, signingCertificateV2."""
        digest = digest_of(signer.digest_oid)
        if digest is None:
            raise Refused(f"digest {signer.digest_oid} isn't accepted")
        if signer.attribute(OID_CONTENT_TYPE, "contentType").oid() != OID_DATA:
            raise Refused("contentType isn't data")
        if signer.attribute(OID_MESSAGE_DIGEST, "messageDigest").value != digest(content).digest():
            raise Refused("messageDigest isn't that of the file")
        certificates = signer.attribute(OID_SIGNING_CERTIFICATE_V2, "signingCertificateV2").children()[0].children()
        fields = certificates[0].children()
        function = hashlib.sha256  # RFC 5035: the default
        if fields[0].tag == 0x30:
            function = digest_of(fields.pop(0).children()[0].oid())
        if fields[0].value != function(cms.certificate_of(signer).raw).digest():
            raise Refused("signingCertificateV2 names another certificate than the one enclosed")
        if OTHER_OFFICES & set(purposes(cms.certificate_of(signer))):
            raise Refused("the certificate is for another office")
        refuse_unfit(cms.certificate_of(signer), signer, 3072)
        time = signer.attribute(OID_SIGNING_TIME, "signingTime").time()
        self.report.ok(f"{name} attributes", f"CAdES-BES, signed {utc(time)}")

    def cms(self, name, data, content, time):
        good, message = self.signed_and_trusted(data, content, time)
        if not good:
            raise Refused(message)
        if self.trust:
            self.report.ok(name, f"signature and certificate path at {utc(time)}")
        else:
            self.report.ok(name, "signature")
            self.report.skip("no --trust", f"{name} path", "certificate path")

    def signed_and_trusted(self, data, content, time, purpose="any"):
        """(whether the signature holds, with its path where --trust was given; why not)"""
        cms = SignedData(data)
        if any(signer.of(STB) for signer in cms.signers):
            return self.by_bign(cms, content, time)
        engine = ["-engine", "gost"] if any(signer.of(GOST) for signer in cms.signers) else []
        path = [*self.trusted(time), "-purpose", purpose] if self.trust else ["-noverify"]
        detached = ["-content", self.temporary(content)] if cms.content is None else []
        return openssl("cms", "-verify", *engine, "-binary", "-inform", "DER", "-in", self.temporary(data), *detached, *path,
                       "-out", "/dev/null")

    def trusted(self, time):
        return ["-CAfile", self.trust, "-no-CApath", "-no-CAstore", *STRONG, "-attime", time]

    def by_bign(self, cms, content, time):
        for signer in cms.signers:
            certificate = cms.certificate_of(signer)
            digest = digest_of(signer.digest_oid)
            stated = signer.attribute(OID_MESSAGE_DIGEST, "messageDigest").value
            if digest is not BeltHash or stated != digest(content).digest():
                return False, "its digest isn't the content's by belt-hash"
            if signer.attribute(OID_CONTENT_TYPE, "contentType").oid() != cms.content_type:
                return False, "contentType is another"
            key = bign.Certificate(certificate.raw).key
            if not bign.verify(key, bign.belt_hash(b"\x31" + signer.signed_raw[1:]), signer.signature):
                return False, "it isn't the key's signature"
            if self.trust and not self.bign_path(certificate, time):
                return False, "the certificate isn't by a trusted authority, or not valid then"
        return True, ""

    def bign_path(self, certificate, time):
        """Whether a trusted authority has signed the certificate itself (no chains: one authority, one signer)."""
        for text in Path(self.trust).read_text(encoding="ascii", errors="replace").split("-----BEGIN CERTIFICATE-----")[1:]:
            authority = Der(base64.b64decode(text.split("-----END")[0]))
            fields = authority.children()[0].raw
            try:
                bign.verify_certificate(certificate.raw, authority.raw)
                bign.verify_certificate(authority.raw, authority.raw)
            except bign.Refused:
                continue
            if certificate.raw == authority.raw:  # trusted by itself; a signer's dates are in it
                return validity(certificate)[0] <= time <= validity(certificate)[1]
            is_authority = bytes.fromhex("0603551d130101ff040530030101ff") in fields  # basicConstraints, critical, cA
            valid = all(start <= time <= end for start, end in map(validity, (certificate, authority)))
            if is_authority and valid:
                return True
        return False

    def time_stamps(self, base, data, response, signer, manifest):
        report, found = self.report, 0
        if response is not None:
            with Guard(report, f"{base}.tsr"):
                self.time_stamp(f"{base}.tsr", TimeStamp.of_response(response), signer, data, manifest)
                found += 1
        for value in signer.unsigned.get(OID_TIME_STAMP_TOKEN, []):
            with Guard(report, f"{base}.p7s time-stamp"):
                self.time_stamp(f"{base}.p7s time-stamp", TimeStamp(value.raw), signer, data, manifest)
                found += 1
        if not found and response is None:
            report.skip("no time-stamp was asked for", f"{base} time-stamp", "the signing time is the signer's word")

    def time_stamp(self, name, stamp, signer, data, manifest):
        digest = digest_of(stamp.algorithm)
        if digest is None:
            raise Refused(f"digest {stamp.algorithm} isn't accepted")
        covered = [signer.signature] + ([data] if name.endswith(".tsr") else [])
        if stamp.imprint not in [digest(bytes_).digest() for bytes_ in covered]:
            raise Refused("the time-stamp is over another signature")
        cms = SignedData(stamp.token)
        if any(one.unknown for one in cms.signers):
            self.report.skip("a national suite that isn't at hand", name, utc(stamp.time))
            return
        for one in cms.signers:
            certificate = cms.certificate_of(one)
            refuse_unfit(certificate, one, 2048)  # what public authorities still use
            if purposes(certificate) != [TIME_STAMPING] or not extension(certificate, "2.5.29.37")[1]:
                raise Refused("the authority's certificate isn't for time-stamping alone")
        national = any(one.of(GOST) or one.of(STB) for one in cms.signers)
        if not self.trust or national:
            good, message = self.signed_and_trusted(stamp.token, cms.content, stamp.time, "timestampsign")
        else:
            good, message = openssl("ts", "-verify", "-token_in", "-in", self.temporary(stamp.token), "-digest",
                                    stamp.imprint.hex(), "-CAfile", self.trust, *STRONG, "-attime", stamp.time)
        if not good:
            raise Refused(message)
        if signer.attribute(OID_SIGNING_TIME, "signingTime").time() > stamp.time + CLOCK_TOLERANCE:
            raise Refused("the signer's own time is later than the time-stamp's")
        self.report.ok(name, f"over the signature, {utc(stamp.time)}")
        if not self.trust:
            self.report.skip("no --trust", f"{name} path", "certificate path of the authority")
            return
        # The authority's word for the time counts more than the signer's: the path must hold then too.
        good, message = self.signed_and_trusted(data, manifest, stamp.time)
        self.report.say(good, f"{name} path", "the signer's certificate at that time" if good else message)

    # ---- custody

    EVENTS = set("received opened photographed write-blocker-tested acquired integrity-checked processed matched "
                 "reviewed disclosed sealed transferred accepted returned corrected".split())

    def custody(self, manifest):
        report, previous = self.report, ZERO_DIGEST
        self.transfers, self.last_signed = {}, 0
        self.unchecked = 0  # number of the last line whose signature this script can't check
        lines = lines_of((self.case / "custody.jsonl").read_bytes(), "custody.jsonl")
        heads = [ZERO_DIGEST]
        for number, line in enumerate(lines, 1):
            with Guard(report, f"custody.jsonl line {number}"):
                self.event(number, line, previous)
            previous = sha256(line).hex()
            heads.append(previous)
        claim = manifest["custody"] if manifest else {"events": -1}
        if type(claim["events"]) is not int or not 0 <= claim["events"] <= len(lines):
            report.fail("custody events", f"the manifest says {claim['events']}, the ledger has {len(lines)}")
        else:
            report.equal("custody head", claim["head"], heads[claim["events"]])
            if claim["events"] < len(lines):
                report.ok("custody events", f"{len(lines) - claim['events']} after the manifest was made")
        if self.unchecked > max(claim["events"], 0):
            report.fail("custody", f"line {self.unchecked} is neither under the manifest nor signed in a suite that can be checked")
        for seq, (_, _, open_) in self.transfers.items():
            if open_:
                report.skip("transferred without accepted", "custody", f"seq {seq}: {', '.join(sorted(open_))}")

    def event(self, number, line, previous):
        report, name = self.report, f"custody.jsonl line {number}"
        event = parse_canonical(line)
        self.event_form(event)
        if event["seq"] != number:
            raise Refused(f"seq {event['seq']}, expected {number}")
        if event["event"] not in self.EVENTS:
            raise Refused(f"unknown event {event['event']!r}")
        if event["previous"] != previous:
            raise Refused("previous isn't the digest of the line before")
        signature = base64.b64decode(event.pop("signature"), validate=True)
        cms = SignedData(signature)
        signer = cms.signers[0]
        if len(cms.signers) != 1 or cms.content_type != OID_DATA or cms.content is not None:
            raise Refused("not a detached signature of one signer over data")
        if signer.unknown:
            report.skip("a national suite that isn't at hand", name, signer.signature_oid)
            self.unchecked = number
        else:
            time = signer.attribute(OID_SIGNING_TIME, "signingTime").time()
            self.attributes(name, cms, signer, canonical(event))
            self.cms(name, signature, canonical(event), time)
        self.agreement(event, cms.certificate_of(signer), signer.attribute(OID_SIGNING_TIME, "signingTime").time())

    def agreement(self, event, certificate, signed):
        """What events must agree on: whose credential, in what order, and that the other side accepts."""
        done = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", "-subject", "-nameopt", "RFC2253,-esc_msb"],
                              input=certificate.raw, capture_output=True)
        subject = done.stdout.decode("utf-8", "replace").removeprefix("subject=").removesuffix("\n")
        if event["actor"]["credential"] != subject:
            raise Refused(f"the credential is told as another than {subject!r}, which signed")
        before, self.last_signed = self.last_signed, max(self.last_signed, signed)
        if signed < before - CLOCK_TOLERANCE:
            raise Refused("its signature is older than the one before it")
        if event["time"][:19] > utc(signed + CLOCK_TOLERANCE)[:19]:
            raise Refused(f"it tells of {event['time']}, and was signed before that")
        fields = certificate.children()[0].children()
        fields = fields[1:] if fields[0].tag == 0xA0 else fields
        side, ids = (fields[2].raw + fields[4].raw, fields[5].raw), set(event["evidence"]) or {"the case"}
        if event["event"] == "transferred":
            self.transfers[event["seq"]] = (event["time"], side, ids)
        if event["event"] == "accepted":
            transfer = event["detail"].get("transfer") if type(event["detail"]) is dict else None
            if type(transfer) is not int or transfer not in self.transfers:
                raise Refused("it doesn't name in detail.transfer a transfer before it")
            time, other, open_ = self.transfers[transfer]
            ids = ids if event["evidence"] else set(open_)
            if event["time"][:16] < time[:16]:
                raise Refused("it accepts before it was handed over")
            if side[0] == other[0] or side[1] == other[1]:
                raise Refused("it is signed by the side that handed over")
            if not ids or not ids <= open_:
                raise Refused("it accepts what wasn't handed over, or was accepted already")
            open_ -= ids

    @staticmethod
    def event_form(event):
        def texts(value, *keys):
            if type(value) is not dict or any(type(value.get(key)) is not str for key in keys):
                raise Refused(f"one of {', '.join(keys)} is missing or no text")

        texts(event, "time", "event", "place", "previous", "signature")
        texts(event.get("actor"), "name", "role", "organisation", "credential")
        for key in ("participants", "evidence"):
            if type(event.get(key)) is not list:
                raise Refused(f"{key} is missing or no list")
        for participant in event["participants"]:
            texts(participant, "name", "role")
        if any(type(name) is not str for name in event["evidence"]):
            raise Refused("evidence holds something else than ids")
        if type(event.get("seq")) is not int or type(event.get("detail")) not in (str, dict):
            raise Refused("seq or detail is missing or of the wrong kind")
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", event["time"]):
            raise Refused("time isn't RFC 3339 in UTC")
        if event["event"] == "corrected":
            corrects = event["detail"].get("corrects") if type(event["detail"]) is dict else None
            if type(corrects) is not int or not 0 < corrects < event["seq"]:
                raise Refused("a correction of no event before it")

    # ---- what else lies in the folder

    def folder(self, manifest):
        report = self.report
        named = {e["findings"]["file"] for e in manifest["evidence"]} if manifest else set()
        for path in sorted((self.case / "findings").rglob("*")):
            relative = path.relative_to(self.case).as_posix()
            if not path.is_dir() and relative not in named:
                report.fail(relative, "not in the manifest")
        known = re.compile(r"manifest\.json(\.[1-9]\d*\.(p7s|tsr))?|custody\.jsonl|index\.sqlite|findings|secret|log")
        for path in sorted(self.case.iterdir()):
            if match := re.fullmatch(r"(.*)\.tsr", path.name):
                if not (self.case / f"{match[1]}.p7s").exists():
                    report.fail(path.name, "a time-stamp without its signature")
            if not known.fullmatch(path.name):
                report.skip("not part of the claim", "folder", path.name)


# ---------------------------------------------------------------- findings


def as_bytes(value):
    return str(value or "").encode("utf-8", "surrogatepass")




class Disclosure:
    """Chosen records with their proofs, the manifest and its signatures (manifest.md, "Disclosure")."""

    def __init__(self, value, verifier):
        self.value, self.verifier, self.report = value, verifier, verifier.report

    @staticmethod
    def keys(value, *names, optional=()):
        if not isinstance(value, dict) or not set(names) <= set(value) <= set(names) | set(optional):
            raise Refused(f"the keys {sorted(value)}, expected {sorted(names)}")

    def check(self):
        report, value = self.report, self.value
        self.keys(value, "format", "manifest", "signatures", "items", "volumes", "absent")
        if value["format"] != "exhibit-disclosure/1":
            raise Refused("another format")
        if not value["items"] and not value["volumes"] and not value["absent"]:
            raise Refused("it discloses nothing")
        report.ok("disclosure form", "canonical")
        text = value["manifest"].encode()
        with Guard(report, "signatures"):
            self.signatures(text)
        manifest = parse_canonical(text)
        self.verifier.form(manifest)
        self.claims = {evidence["id"]: evidence["findings"] for evidence in manifest["evidence"]}
        for kind, name, check in (("items", "item", self.item), ("volumes", "volume", self.volume), ("absent", "digest", self.absence)):
            for entry in value[kind]:
                with Guard(report, f"disclosed {name} {entry[name]}"):
                    check(entry)
        for name in ("findings", "ledger", "inputs", "media"):
            report.skip("it isn't in a disclosure", name, "the case")

    def signatures(self, text):
        numbers, good = [], 0
        for one in self.value["signatures"]:
            self.keys(one, "name", "cms", optional=("timestamp",))
            match = re.fullmatch(r"(manifest\.json\.([1-9]\d*))\.p7s", one["name"])
            numbers.append(int(match[2]))
            stamp = base64.b64decode(one["timestamp"], validate=True) if "timestamp" in one else None
            with Guard(self.report, one["name"]):
                good += self.verifier.signature(match[1], base64.b64decode(one["cms"], validate=True), stamp, text)
        self.verifier.enough(numbers, good)

    def trees(self, trees, proofs, root_by):
        """Each tree needs its proof, from which `root_by` must come to its root."""
        if set(trees) != set(proofs):
            raise Refused("a tree without its proof, or a proof for no tree")
        for algorithm, root in sorted(trees.items()):
            function = RECORD_ALGORITHMS.get(algorithm)
            if function is None:
                self.report.skip("no such digest here", f"proof {algorithm}", root)
                continue
            hashes = [unhex(text, len(root) // 2) for text in proofs[algorithm]]
            if root_by(lambda data: function(data).digest(), hashes).hex() != root:
                raise Refused(f"it isn't in the tree by {algorithm}")

    def item(self, entry):
        self.keys(entry, "evidence", "item", "records")
        claim, records, name = self.claims[entry["evidence"]], entry["records"], entry["item"]
        if not records:
            raise Refused("no record")
        for number, one in enumerate(records):
            self.keys(one, "index", "line", "salt", "paths")
            if one["index"] != records[0]["index"] + number:
                raise Refused("its records don't stand together")
            record = parse_canonical(one["line"].encode())
            about = {"item": "id", "match": "item", "problem": "where"}[record["record"]]
            if record[about] != name or (record["record"] == "item") != (number == 0):
                raise Refused("a record that isn't the item's, or the item's own isn't the first")
            self.trees(claim["trees"], one["paths"], lambda digest, path, one=one: root_of_path(
                self.leaf(digest, one), one["index"], claim["records"], path, digest))
        self.report.ok("disclosed item", f"{name}: {len(records)} records")
        self.report.skip("only the whole volume would show it", "disclosed item", f"whether {name} has further records")

    @staticmethod
    def leaf(digest, one):
        return digest(b"\x00" + unhex(one["salt"], 32) + one["line"].encode())

    def volume(self, entry):
        self.keys(entry, "evidence", "volume", "first", "records", "proofs")
        claim, records = self.claims[entry["evidence"]], entry["records"]
        for one in records:
            self.keys(one, "line", "salt")
        lines = [parse_canonical(one["line"].encode()) for one in records]
        first, last = lines[0], lines[-1]
        if len(lines) < 2 or first["record"] != "volume" or first["id"] != entry["volume"]:
            raise Refused("its first record isn't the volume's own")
        if last["record"] != "coverage" or last["where"] != entry["volume"]:
            raise Refused("its last record isn't the volume's coverage")
        if sum(last["bytes"].values()) != first["size"]:
            raise Refused("its coverage doesn't add up to its size")
        self.trees(claim["trees"], entry["proofs"], lambda digest, outside: root_of_range(
            [self.leaf(digest, one) for one in records], entry["first"], claim["records"], outside, digest))
        self.report.ok("disclosed volume", f"{entry['volume']}: {len(records)} records, none left out between")

    def absence(self, entry):
        self.keys(entry, "evidence", "digest", optional=("low", "high"))
        content = self.claims[entry["evidence"]]["content"]
        kind, digest = entry["digest"].split(":")
        if kind != "sha256":
            raise Refused("another digest than SHA-256")
        wanted = content_key(unhex(digest, 32))
        low, high = (self.neighbour(entry[side], content) if side in entry else None for side in ("low", "high"))
        if low and low[1] >= wanted or high and high[1] <= wanted:
            raise Refused("the neighbours don't enclose it")
        if (high[0] if high else content["entries"]) != (low[0] + 1 if low else 0):
            raise Refused("the neighbours aren't neighbours")
        self.report.ok("absence", f"{entry['digest']}: none of {content['entries']} contents")
        if content["without"]:
            self.report.skip("their content has no SHA-256", "absence", f"{content['without']} items")

    def neighbour(self, entry, content):
        self.keys(entry, "index", "key", "paths")
        key = unhex(entry["key"], 32)
        self.trees(content["trees"], entry["paths"], lambda digest, path: root_of_path(
            digest(b"\x00" + key), entry["index"], content["entries"], path, digest))
        return entry["index"], key


def unhex(text, size):
    if not re.fullmatch(r"[0-9a-f]*", text) or len(text) != 2 * size:
        raise Refused(f"{text[:80]!r} isn't {size} bytes in hex")
    return bytes.fromhex(text)


class Findings:
    """The relations among the records of one image."""

    CLASSES = {"allocated", "deleted", "slack", "metadata", "unallocated", "gap", "unreadable"}

    def __init__(self, name, path, records, report):
        self.name, self.path, self.report = name, path, report
        self.records = records
        self.volumes = {r["id"]: r for r in records if r["record"] == "volume"}
        self.items = {r["id"]: r for r in records if r["record"] == "item"}
        order = sorted(self.volumes.values(), key=lambda v: (v["offset"], as_bytes(v["id"])))
        self.rank = {volume["id"]: index for index, volume in enumerate(order)}

    def identities(self):
        """Each id once; the evidence once, with the manifest's id."""
        seen = set()
        for record in self.records:
            if record["record"] in ("evidence", "volume", "item"):
                if record["id"] in seen:
                    raise Refused(f"the id {record['id']!r} stands twice")
                seen.add(record["id"])
        if self.records[0]["id"] != self.name or sum(r["record"] == "evidence" for r in self.records) != 1:
            raise Refused("not exactly one evidence record with the manifest's id")
        self.report.ok(f"{self.path} identities", f"{len(seen)} ids, each once")

    def owner(self, where):
        """The nearest existing id that is `where` or lies above it."""
        cuts = [len(where)] + [i for i in range(len(where) - 1, 0, -1) if where[i] in "/:!"]
        for cut in cuts:
            if where[:cut] in self.items or where[:cut] in self.volumes or where[:cut] == self.name:
                return where[:cut]
        return None

    def place(self, target, rank, rest):
        """Where a record about `target` may stand: the item's group or the volume's or the evidence's end."""
        places, owner = [], self.owner(target)
        if owner in self.items:
            item = self.items[owner]
            places.append((1, self.rank[item["volume"]], 1, as_bytes(owner), rank, *rest))
            if owner == target:
                return places
            owner = item["volume"]
        if owner in self.volumes:
            places.append((1, self.rank[owner], 1 + rank, b"", 0, *rest))
        elif owner == self.name:
            places.append((2, 0, rank, b"", 0, *rest))
        return places

    def places(self, record):
        kind, none = record["record"], (b"", b"", b"", -1)
        if kind == "evidence":
            return [(0, 0, 0, b"", 0, *none)]
        if kind == "volume":
            return [(1, self.rank[record["id"]], 0, b"", 0, *none)]
        if kind == "item":
            return [(1, self.rank[record["volume"]], 1, as_bytes(record["id"]), 0, *none)]
        if kind == "match":
            first = record["where"][0]["offset"] if record.get("where") else -1
            rest = (*(as_bytes(record.get(key)) for key in ("by", "source", "rule")), first)
            return self.place(record["item"], 1, rest)
        if kind == "problem":
            return self.place(record["where"], 2, (*(as_bytes(record.get(k)) for k in ("stage", "cause", "detail")), -1))
        if kind == "coverage":
            if record["where"] == self.name:
                return [(2, 0, 3, b"", 0, *none)]
            return [(1, self.rank[record["where"]], 4, b"", 0, *none)]
        raise Refused(f"unknown record {kind!r}")

    def order(self):
        before = (-1,)
        for number, record in enumerate(self.records, 1):
            fitting = [place for place in self.places(record) if place >= before]
            if not fitting:
                raise Refused(f"line {number}: {record['record']} {record.get('id') or record.get('item') or record.get('where')}"
                              " stands in the wrong place, or refers to nothing")
            before = min(fitting)
        self.report.ok(f"{self.path} order", f"{len(self.records)} records")

    def references(self):
        for number, record in enumerate(self.records, 1):
            if problem := self.dangling(record):
                raise Refused(f"line {number}: {problem}")
        self.report.ok(f"{self.path} references", "every id that is referred to exists")

    def dangling(self, record):
        kind = record["record"]
        if kind == "volume":
            parent = record.get("parent", self.name)
            if parent != self.name and parent not in self.volumes:
                return f"parent {parent} doesn't exist"
            if not record["id"].startswith(self.name + "/"):
                return f"volume {record['id']} isn't below {self.name}"
        if kind == "item":
            if record["volume"] not in self.volumes:
                return f"volume {record['volume']} doesn't exist"
            if not record["id"].startswith(record["volume"] + "/"):
                return f"item {record['id']} isn't below its volume"
            if not record["id"].startswith(record.get("content", "")):
                return f"item {record['id']} isn't its content's id and a path"
        if kind == "match" and record["item"] not in self.items and record["item"] not in self.volumes \
                and record["item"] != self.name:
            return f"item {record['item']} doesn't exist"
        if kind == "problem" and self.owner(record["where"]) is None:
            return f"{record['where']} isn't below anything that exists"
        return None

    def coverage(self):
        sizes = {self.name: self.records[0]["size"], **{v["id"]: v["size"] for v in self.volumes.values()}}
        covered = {}
        for record in self.records:
            if record["record"] != "coverage":
                continue
            where, classes = record["where"], record["bytes"]
            if where in covered:
                raise Refused(f"two coverages of {where}")
            covered[where] = sum(classes.values())
            if set(classes) - self.CLASSES or any(type(n) is not int or n < 0 for n in classes.values()):
                raise Refused(f"coverage of {where}: a class that isn't one, or a negative number")
            if covered[where] != sizes[where]:
                raise Refused(f"coverage of {where} adds up to {covered[where]}, its size is {sizes[where]}")
            if any(n < 0 or n > sizes[where] for n in record.get("examined", {}).values()):
                raise Refused(f"coverage of {where}: more examined than there is")
        if missing := sorted(set(sizes) - set(covered)):
            raise Refused(f"no coverage for {', '.join(missing)}")
        self.report.ok(f"{self.path} coverage", f"{len(sizes)} sums, each the size to the last byte")


# ---------------------------------------------------------------- the image again


class Image:
    """Reads the raw image again: the whole of it, then each item by its extents."""

    def __init__(self, name, path, evidence, findings, report):
        self.name, self.evidence, self.findings, self.report = name, evidence, findings, report
        self.file = open(path, "rb")

    def check(self):
        self.media()
        good = skipped = 0
        reasons = {}
        for item in self.findings.items.values():
            if why := self.unreadable(item):
                reasons[why] = reasons.get(why, 0) + 1
                skipped += 1
                continue
            with Guard(self.report, f"evidence item {item['id']}"):
                self.item(item)
                good += 1
        self.report.ok(f"evidence {self.name} items", f"{good} read again from their extents")
        for why, count in sorted(reasons.items()):
            self.report.skip(why, f"evidence {self.name} items", f"{count} of {good + skipped}")

    def media(self):
        block_size = self.evidence.get("block_size", 1 << 20)
        claimed = self.evidence.get("digests", {})
        hashes = {a: ALGORITHMS[a]() for a in claimed if a in ALGORITHMS}
        size, leaves = 0, []
        self.file.seek(0)
        while block := self.file.read(block_size):
            size += len(block)
            leaves.append(sha256(b"\x00" + sha256(block)))
            for function in hashes.values():
                function.update(block)
        name = f"evidence {self.name}"
        self.report.equal(f"{name} size", self.evidence["size"], size)
        for algorithm, value in sorted(claimed.items()):
            if algorithm in hashes:
                self.report.equal(f"{name} {algorithm}", value, hashes[algorithm].hexdigest())
            else:
                self.report.skip("no such digest in Python's library", f"{name} {algorithm}", value)
        self.report.equal(f"{name} block_root", self.evidence.get("block_root"), tree_root(leaves).hex())

    def unreadable(self, item):
        if not any(a in ALGORITHMS for a in item.get("digests", {})):
            return "no digest claimed"
        if item.get("doubt"):
            return "in doubt"
        if "extents" not in item:
            return f"no extents ({item.get('transform', 'no transform')})"
        if item.get("transform", "resident") != "resident":
            return f"transform {item['transform']}"
        if self.start(item["volume"]) is None:
            return "its volume is a transformed one"
        return None

    def start(self, volume):
        total = 0
        while volume != self.name:
            record = self.findings.volumes[volume]
            if record.get("transform"):
                return None
            total, volume = total + record["offset"], record.get("parent", self.name)
        return total

    def item(self, item):
        hashes = {a: ALGORITHMS[a]() for a in item["digests"] if a in ALGORITHMS}
        for piece in self.pieces(item):
            for function in hashes.values():
                function.update(piece)
        wrong = sorted(a for a, f in hashes.items() if f.hexdigest() != item["digests"][a])
        if wrong and not self.fixed_up(item, hashes):
            offset = self.start(item["volume"]) + item["extents"][0][0] if item["extents"] else 0
            raise Refused(f"{', '.join(wrong)} of its extents (first at media offset {offset}) isn't what is claimed")

    def pieces(self, item):
        start, left = self.start(item["volume"]), item["size"]
        for offset, length in item["extents"]:
            length = min(length, left)
            left -= length
            position = None if offset == -1 else start + offset
            while length:
                count = min(length, 1 << 20)
                if position is None:
                    piece = bytes(count)
                else:
                    self.file.seek(position)
                    piece = self.file.read(count)
                    position += count
                if len(piece) != count:
                    raise Refused(f"extent at media offset {position} lies beyond the image")
                yield piece
                length -= count
        if left:
            raise Refused(f"the extents end {left} bytes before the content does")

    def fixed_up(self, item, hashes):
        """NTFS keeps the last two bytes of each sector of a file record in its update sequence array."""
        if item.get("transform") != "resident" or len(item["extents"]) != 1:
            return False
        offset = self.start(item["volume"]) + item["extents"][0][0]
        for back in range(offset % 512, 4096 + 512, 512):
            self.file.seek(max(0, offset - back))
            record = bytearray(self.file.read(4096))
            if record[:4] != b"FILE":
                continue
            array, count = int.from_bytes(record[4:6], "little"), int.from_bytes(record[6:8], "little")
            for index in range(1, min(count, 9)):
                record[512 * index - 2:512 * index] = record[array + 2 * index:array + 2 * index + 2]
            content = bytes(record[back:back + item["size"]])
            return all(ALGORITHMS[a](content).hexdigest() == item["digests"][a] for a in hashes)
        return False


def main():
    parser = argparse.ArgumentParser(description="Verify what Exhibit leaves, from its published formats.")
    parser.add_argument("case", nargs="?")
    parser.add_argument("--trust", metavar="CA.pem")
    parser.add_argument("--evidence", metavar="E1=RAWIMAGE", action="append", default=[])
    parser.add_argument("--content", metavar="FILE")
    parser.add_argument("--signature", metavar="P7S")
    parser.add_argument("--timestamp", metavar="TSR")
    arguments = parser.parse_args()
    if any("=" not in pair for pair in arguments.evidence):
        parser.error("--evidence wants ID=IMAGE")
    if bool(arguments.case) == bool(arguments.content) or bool(arguments.content) != bool(arguments.signature):
        parser.error("give a case or a disclosure, or --content and --signature")
    report = Report()
    with Guard(report, "case"):
        if arguments.trust and not os.path.isfile(arguments.trust):
            raise Refused(f"{arguments.trust}: no such file")
        verifier = Verifier(arguments.case or ".", arguments.trust, dict(p.split("=", 1) for p in arguments.evidence), report)
        if arguments.content:
            content, data = Path(arguments.content).read_bytes(), Path(arguments.signature).read_bytes()
            stamp = Path(arguments.timestamp).read_bytes() if arguments.timestamp else None
            with Guard(report, arguments.signature):
                if not verifier.signature(arguments.signature.removesuffix(".p7s"), data, stamp, content):
                    report.fail("signature", "it isn't good, or can't be checked here")
        elif os.path.isfile(arguments.case):
            Disclosure(parse_canonical(Path(arguments.case).read_bytes()), verifier).check()
        else:
            verifier.run()
    print("verdict: " + ("NOT VERIFIED" if report.failed else "verified"))
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
