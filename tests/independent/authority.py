"""A certificate authority with a signer and a time-stamp authority, by the `openssl` command."""

import subprocess
import tempfile
from functools import cached_property
from pathlib import Path

from verify import Der, SignedData, whole


def openssl(*arguments, data=None):
    done = subprocess.run(["openssl", *map(str, arguments)], input=data, capture_output=True)
    if done.returncode:
        raise RuntimeError(f"openssl {' '.join(map(str, arguments))}: {done.stderr.decode()}")
    return done.stdout


CONFIG = """
[ca_extensions]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
[signer_extensions]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature,nonRepudiation
[encipherment_extensions]
basicConstraints = critical,CA:FALSE
keyUsage = critical,keyEncipherment,keyAgreement
[tsa_extensions]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[ts]
serial = {folder}/tsa.serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
[index]
database = {folder}/index.txt
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
policy = any
[any]
commonName = supplied
"""


def encode(tag, content):
    """One DER TLV."""
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    raw = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(raw)]) + raw + content


def with_time_stamp(signature, token):
    """The CMS with an RFC 3161 token as unsigned attribute of its only signer (CAdES-T)."""
    info = whole(signature, "CMS").children()
    parts = info[1].children()[0].children()
    signer = parts[-1].children()[0]
    fields = b"".join(p.raw for p in signer.children() if p.tag != 0xA1)
    oid = bytes.fromhex("060b2a864886f70d010910020e")  # id-aa-signatureTimeStampToken
    unsigned = encode(0xA1, encode(0x30, oid + encode(0x31, token)))
    signers = encode(0x31, encode(0x30, fields + unsigned))
    data = encode(0x30, b"".join(p.raw for p in parts[:-1]) + signers)
    return encode(0x30, info[0].raw + encode(0xA0, data))


class Authority:
    """Keys and certificates in one folder: ca, signer and tsa, each NAME.key and NAME.pem."""

    def __init__(self, folder, subject="Laboratory"):
        self.folder, self.subject = Path(folder), subject
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config = self.folder / "openssl.cnf"
        self.config.write_text(CONFIG.format(folder=self.folder))
        (self.folder / "tsa.serial").write_text("01\n")
        (self.folder / "index.txt").write_text("")
        self.issue("ca", "ca_extensions", "20100101000000Z", "20490101000000Z")
        self.issue("signer", "signer_extensions")
        self.issue("tsa", "tsa_extensions")

    def path(self, name):
        return self.folder / name

    @property
    def trust(self):
        return self.path("ca.pem")

    @cached_property
    def credential(self):
        return self.credential_of("signer")

    def credential_of(self, name):
        """The subject of a certificate, as a ledger's `actor` names it (RFC 2253)."""
        text = openssl("x509", "-in", self.path(f"{name}.pem"), "-noout", "-subject", "-nameopt", "RFC2253,-esc_msb").decode()
        return text.removeprefix("subject=").strip()

    def key(self, name, kind="P-256"):
        """`kind`: a curve, or RSA with so many bits ("RSA:2048")."""
        algorithm, _, bits = kind.partition(":")
        option = f"rsa_keygen_bits:{bits}" if bits else f"ec_paramgen_curve:{kind}"
        openssl("genpkey", "-algorithm", algorithm if bits else "EC", "-pkeyopt", option, "-out", self.path(f"{name}.key"))

    def request_config(self, name):
        path = self.path(f"{name}.req.cnf")
        path.write_text(f"[req]\nprompt = no\ndistinguished_name = dn\n[dn]\nCN = {self.subject} {name}\n")
        return path

    def issue(self, name, extensions, start=None, end=None, issuer="ca", kind="P-256", digest="sha256"):
        """A new key and a certificate for it, signed over that digest; `start` and `end` as YYYYMMDDHHMMSSZ."""
        self.key(name, kind)
        request = self.path(f"{name}.csr")
        openssl("req", "-new", "-config", self.request_config(name), "-key", self.path(f"{name}.key"), "-out", request)
        period = ["-startdate", start, "-enddate", end] if start else ["-days", 3000]
        openssl("ca", "-batch", "-notext", "-md", digest, "-config", self.config, "-name", "index", "-extensions", extensions,
                *(["-selfsign"] if name == issuer else ["-cert", self.path(f"{issuer}.pem")]),
                "-keyfile", self.path(f"{issuer}.key"), *period,
                "-in", request, "-out", self.path(f"{name}.pem"))
        return name

    def sign(self, data, signer="signer", cades=True, certificate=None, chain=None, digest="sha256", extra=()):
        """A detached CMS signature over `data`, DER."""
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            return openssl("cms", "-sign", "-binary", *(["-cades"] if cades else []), "-md", digest, "-nosmimecap",
                           "-signer", certificate or self.path(f"{signer}.pem"),
                           "-inkey", self.path(f"{signer}.key"),
                           *(["-certfile", chain] if chain else []), *extra,
                           "-in", file.name, "-outform", "DER")

    def stamp(self, signature):
        """The authority's RFC 3161 answer over the signature value of a CMS."""
        value = SignedData(signature).signers[0].signature
        query, source = self.path("query.tsq"), self.path("value.bin")
        source.write_bytes(value)
        openssl("ts", "-query", "-data", source, "-sha256", "-cert", "-out", query)
        return openssl("ts", "-reply", "-config", self.config, "-section", "ts", "-queryfile", query)

    def seal(self, case, number=1, signer="signer", stamped=True):
        """Signs (and time-stamps) the manifest of a case folder anew."""
        base = Path(case) / f"manifest.json.{number}"
        signature = self.sign((Path(case) / "manifest.json").read_bytes(), signer)
        response = Path(f"{base}.tsr")
        response.unlink(missing_ok=True)
        if stamped:
            answer = self.stamp(signature)
            response.write_bytes(answer)
            signature = with_time_stamp(signature, Der(answer).children()[1].raw)
        Path(f"{base}.p7s").write_bytes(signature)
