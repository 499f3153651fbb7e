"""Signatures and time-stamps of all suites: what independent products made is judged right, and what Exhibit makes is
accepted by stock openssl, by openssl with the gost engine, and by the published equation of bign."""
import glob, os, pathlib, re, shutil, subprocess, sys, tempfile, unittest
from support import CORPORA, EXHIBIT, INCOMPLETE, run, unpack

INDEPENDENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "independent")
sys.path.insert(0, INDEPENDENT)
import bign
from authority import Authority

CRYPTO = os.path.join(CORPORA, "crypto")
MESSAGE = os.path.join(CRYPTO, "message.json")
SUITES = ["p256-sha256", "rsa3072-sha256", "gost2012-256", "gost2012-512", "bign128-belt"]
NATIONAL = ["gost2012-256", "gost2012-512", "bign128-belt"]
IMPRINTS = {"gost2012-256": "streebog256", "gost2012-512": "streebog512", "bign128-belt": "belt256"}

ENGINE = """
openssl_conf = main
[main]
engines = engines
[engines]
gost = gost
[gost]
engine_id = gost
default_algorithms = ALL
"""

EXTENSIONS = """
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
[signer]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature,nonRepudiation
[tsa]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
"""

# Names of gost-engine (crypto.md, "Curves"): A, B, C are CryptoPro's; TCA to TCD and the 512-bit ones tc26's.
CURVES = [("gost2012_256", name) for name in ("A", "B", "C", "TCA", "TCB", "TCC", "TCD")] + \
         [("gost2012_512", name) for name in ("A", "B", "C")]


def suite(name, file):
    return os.path.join(CRYPTO, name, file)


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, data):
        with open(self.path(name), "wb") as file:
            file.write(data)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def openssl(self, *words, engine=False, check=True):
        environment = dict(os.environ)
        if engine:
            environment["OPENSSL_CONF"] = self.write("engine.cnf", ENGINE.encode())
        done = subprocess.run(["openssl", *words], cwd=self.folder.name, env=environment, capture_output=True)
        if check:
            self.assertEqual(done.returncode, 0, done.stderr.decode())
        return done

    def verify_file(self, content, signature, *more, program=EXHIBIT):
        done = subprocess.run([program, "verify", "--content", content, "--signature", signature, *more], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def issue(self, name, algorithm, curve, issuer=None, extensions="signer", days="300"):
        """A GOST key and a certificate of it."""
        self.write("x.cnf", EXTENSIONS.encode())
        self.write("req.cnf", b"[req]\nprompt = no\ndistinguished_name = n\n[n]\nCN = %s\n" % name.encode())
        self.openssl("genpkey", "-algorithm", algorithm, "-pkeyopt", "paramset:" + curve, "-out", name + ".key", engine=True)
        self.openssl("req", "-new", "-config", "req.cnf", "-key", name + ".key", "-out", name + ".csr", engine=True)
        by = ["-CA", issuer + ".pem", "-CAkey", issuer + ".key", "-CAcreateserial"] if issuer else ["-signkey", name + ".key"]
        self.openssl("x509", "-req", "-in", name + ".csr", *by, "-days", days, "-extfile", "x.cnf", "-extensions", extensions,
                     "-out", name + ".pem", engine=True)


class Judging(Folder):
    def test_what_independent_products_made(self):
        for name in SUITES:
            trust = ("--trust", suite(name, "ca.pem"))
            code, text = self.verify_file(MESSAGE, suite(name, "message.json.p7s"), "--timestamp", suite(name, "message.json.tsr"), *trust)
            self.assertEqual(code, 0, text)
            for check in ("signature", "time-stamp", "signer's certificate", "certificate path"):
                self.assertRegex(text, rf"(?m)^ok  {check}  ")
            for bad in ("flipped.p7s", "other-message.p7s"):
                code, text = self.verify_file(MESSAGE, suite(name, bad), *trust)
                self.assertEqual(code, 1, f"{name} {bad}\n{text}")
                self.assertRegex(text, r"(?m)^FAILED  signature  ")

    def test_an_authority_that_is_not_trusted(self):
        for name, other in zip(SUITES, SUITES[1:] + SUITES[:1]):
            code, text = self.verify_file(MESSAGE, suite(name, "message.json.p7s"), "--trust", suite(other, "ca.pem"))
            self.assertEqual(code, 1, text)
            self.assertRegex(text, r"(?m)^FAILED  certificate path  ")

    def test_without_the_other_program_gost_is_not_checked_and_never_ok(self):
        alone = shutil.copy(EXHIBIT, self.path("exhibit"))
        for name in NATIONAL:
            code, text = self.verify_file(MESSAGE, suite(name, "message.json.p7s"), "--trust", suite(name, "ca.pem"), program=alone)
            if name == "bign128-belt":
                self.assertEqual(code, 0, text)
                continue
            self.assertEqual(code, 1, text)
            self.assertRegex(text, r"(?m)^not checked: .*exhibit-crypto is missing.*  signature  ")
            self.assertNotRegex(text, r"(?m)^ok  (signature|time-stamp)")

    def test_an_issuer_that_cannot_be_checked_here_vouches_for_nobody(self):
        """Without the gost engine, anybody could name a trusted GOST authority as the issuer of a certificate."""
        alone = shutil.copy(EXHIBIT, self.path("exhibit"))
        self.issue("ca", "gost2012_256", "TCA", extensions="ca")
        self.openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "one.key")
        self.openssl("req", "-new", "-subj", "/CN=one", "-key", "one.key", "-out", "one.csr")
        self.openssl("x509", "-req", "-in", "one.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "300", "-extfile", "x.cnf",
                     "-extensions", "signer", "-out", "one.pem", engine=True)
        self.openssl("x509", "-in", "one.pem", "-outform", "DER", "-out", "one.der", engine=True)
        forged = bytearray(self.read("one.der"))
        forged[-5] ^= 1
        self.write("forged.der", forged)
        self.openssl("x509", "-inform", "DER", "-in", "forged.der", "-out", "forged.pem", engine=True)
        for name, by_all, by_it_alone in (("one", 0, 1), ("forged", 1, 1)):
            self.openssl("cms", "-sign", "-binary", "-cades", "-md", "sha256", "-signer", name + ".pem", "-inkey", "one.key",
                         "-in", MESSAGE, "-outform", "DER", "-out", "one.p7s")
            code, text = self.verify_file(MESSAGE, self.path("one.p7s"), "--trust", self.path("ca.pem"))
            self.assertEqual(code, by_all, text)
            code, text = self.verify_file(MESSAGE, self.path("one.p7s"), "--trust", self.path("ca.pem"), program=alone)
            self.assertEqual(code, by_it_alone, text)
            self.assertRegex(text, r"(?m)^not checked: .*exhibit-crypto is missing.*  certificate path  ")
            self.assertRegex(text, r"(?m)^verdict: NOT VERIFIED: certificate path could not be checked")

    def test_all_curve_sets_of_gost(self):
        self.issue("ca", "gost2012_256", "TCA", extensions="ca")
        for algorithm, curve in CURVES:
            self.issue("one", algorithm, curve, "ca")
            self.openssl("cms", "-sign", "-binary", "-cades", "-md", "md_gost12_" + algorithm[-3:], "-signer", "one.pem", "-inkey", "one.key",
                         "-in", MESSAGE, "-outform", "DER", "-out", "one.p7s", engine=True)
            code, text = self.verify_file(MESSAGE, self.path("one.p7s"), "--trust", self.path("ca.pem"))
            self.assertEqual(code, 0, f"{algorithm} {curve}\n{text}")
            changed = bytearray(self.read("one.p7s"))
            changed[-1] ^= 1
            code, text = self.verify_file(MESSAGE, self.write("changed.p7s", changed), "--trust", self.path("ca.pem"))
            self.assertEqual(code, 1, f"{algorithm} {curve}\n{text}")

    def test_a_test_curve_is_refused(self):
        # id-GostR3410-2001-TestParamSet: in the standard for its example, and for nothing else.
        self.issue("one", "gost2012_256", "0", extensions="signer")
        self.openssl("cms", "-sign", "-binary", "-cades", "-md", "md_gost12_256", "-signer", "one.pem", "-inkey", "one.key",
                     "-in", MESSAGE, "-outform", "DER", "-out", "one.p7s", engine=True)
        code, text = self.verify_file(MESSAGE, self.path("one.p7s"))
        self.assertEqual(code, 1, text)
        self.assertRegex(text, r"FAILED  signature .* on the curve 1.2.643.2.2.35.0")
        self.assertEqual(self.all_verifiers("one.p7s", "one.pem"), [1, 1, 1])

    def all_verifiers(self, signature, trust):
        """The exit codes of the three, in the folder's files."""
        programs = [[EXHIBIT, "verify"], [os.path.join(os.path.dirname(EXHIBIT), "exhibit-verify")],
                    [sys.executable, "-B", os.path.join(INDEPENDENT, "verify.py")]]
        words = ["--content", MESSAGE, "--signature", self.path(signature), "--trust", self.path(trust)]
        return [subprocess.run([*program, *words], capture_output=True).returncode for program in programs]

    def test_a_certificate_that_is_trusted_itself_needs_no_authority(self):
        for algorithm, curve in (("gost2012_256", "TCA"), ("gost2012_512", "A")):
            self.issue("one", algorithm, curve)
            self.openssl("cms", "-sign", "-binary", "-cades", "-md", "md_gost12_" + algorithm[-3:], "-signer", "one.pem", "-inkey", "one.key",
                         "-in", MESSAGE, "-outform", "DER", "-out", "one.p7s", engine=True)
            self.assertEqual(self.all_verifiers("one.p7s", "one.pem"), [0, 0, 0], algorithm)
            # Another of the same name is another.
            os.rename(self.path("one.pem"), self.path("trusted.pem"))
            self.issue("one", algorithm, curve)
            self.openssl("cms", "-sign", "-binary", "-cades", "-md", "md_gost12_" + algorithm[-3:], "-signer", "one.pem", "-inkey", "one.key",
                         "-in", MESSAGE, "-outform", "DER", "-out", "one.p7s", engine=True)
            self.assertEqual(self.all_verifiers("one.p7s", "trusted.pem"), [1, 1, 1], algorithm)


class Revoking(Folder):
    def setUp(self):
        super().setUp()
        self.authority = Authority(self.path("pki"))
        with open(self.authority.config, "a", encoding="ascii") as file:
            file.write("[crl]\ndatabase = %s/index.txt\ndefault_md = sha256\ndefault_crl_days = 30\n" % self.path("pki"))

    def list(self, name):
        self.openssl("ca", "-gencrl", "-config", str(self.authority.config), "-name", "crl", "-cert", self.path("pki/ca.pem"),
                     "-keyfile", self.path("pki/ca.key"), "-out", self.path(name))
        return self.path(name)

    def judge(self, *more):
        return self.verify_file(MESSAGE, self.path("m.p7s"), "--trust", str(self.authority.trust), *more)

    def test_lists_from_files(self):
        with open(MESSAGE, "rb") as file:
            signature = self.authority.sign(file.read())
        self.write("m.p7s", signature)
        code, text = self.judge()
        self.assertEqual(code, 0, text)
        self.assertRegex(text, r"(?m)^not checked: no revocation list was given  revocation  ")
        code, text = self.judge("--crl", self.list("before.crl"))
        self.assertEqual(code, 0, text)
        self.assertRegex(text, r"(?m)^ok  revocation  .*isn't revoked in the list of ")
        self.openssl("ca", "-revoke", self.path("pki/signer.pem"), "-config", str(self.authority.config), "-name", "crl",
                     "-cert", self.path("pki/ca.pem"), "-keyfile", self.path("pki/ca.key"))
        after = self.list("after.crl")
        # Revoked after it was signed, but only the signer says when that was; a time-stamp would tell.
        code, text = self.judge("--crl", self.path("before.crl"), after)
        self.assertEqual(code, 1, text)
        self.assertRegex(text, r"(?m)^FAILED  revocation  .* was revoked at ")
        self.assertEqual(run("verify", "--content", MESSAGE, "--signature", self.path("m.p7s"), "--crl", after).returncode, 2)


class Making(Folder):
    @classmethod
    def setUpClass(cls):
        cls.whole = tempfile.TemporaryDirectory()
        image = unpack("images/con-p-gptfat.raw.xz", cls.whole.name, "drive.raw")
        cls.made = os.path.join(cls.whole.name, "case")
        run("process", image, "--case", cls.made, "--number", "17/2026", "--examiner", "A. Examiner", "--carve", "off", check=(0, 4))

    @classmethod
    def tearDownClass(cls):
        cls.whole.cleanup()

    def setUp(self):
        super().setUp()
        self.case = shutil.copytree(self.made, self.path("case"))
        self.manifest = os.path.join(self.case, "manifest.json")

    def seal(self, key, certificates, *more, check=(0,)):
        return run("seal", self.case, *self.incomplete(), "--key", key, "--cert", *certificates, *more, check=check)

    def incomplete(self):
        """What sealing for the first time is told of the fields that nobody filled in."""
        sealed = os.path.exists(self.manifest)
        return () if sealed else INCOMPLETE

    def seal_as(self, name, *more):
        return self.seal(suite(name, "signer.key"), [suite(name, "signer.pem"), suite(name, "ca.pem")], *more)

    def authority(self, name):
        """A configuration of openssl ts with the corpora's time-stamp key of a suite."""
        text = f"""[tsa]
default_tsa = ts
[ts]
serial = {self.path("serial")}
signer_cert = {suite(name, "tsa.pem")}
signer_key = {suite(name, "tsa.key")}
certs = {suite(name, "ca.pem")}
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, streebog256, streebog512, belt256, bash256, bash384, bash512
accuracy = secs:1
ess_cert_id_alg = sha256
"""
        if name not in NATIONAL:
            text = re.sub("(?m)^digests.*$", "digests = sha256, sha512", text)
        self.write("serial", b"01")
        return self.write(name + ".cnf", text.encode())

    def trust(self, *names):
        data = b""
        for name in names:
            with open(suite(name, "ca.pem"), "rb") as file:
                data += file.read()
        return self.write("trust.pem", data)

    def verify(self, *more):
        done = run("verify", self.case, *more)
        return done.returncode, done.stdout.decode()

    def snapshot(self):
        return {path.name: path.read_bytes() for path in pathlib.Path(self.case).glob("manifest.json*")}

    def stock_accepts(self, number, trust, engine):
        return self.openssl("cms", "-verify", "-binary", "-inform", "DER", "-in", f"{self.manifest}.{number}.p7s", "-content", self.manifest,
                            "-CAfile", trust, "-purpose", "any", "-out", "/dev/null", engine=engine, check=False).returncode == 0

    def test_five_signers_of_five_suites(self):
        for name in SUITES:
            self.seal_as(name)
        code, text = self.verify("--trust", self.trust(*SUITES))
        self.assertEqual(code, 0, text)
        for number, name in enumerate(SUITES, 1):
            self.assertRegex(text, rf"(?m)^ok  signature  manifest.json.{number}.p7s: by CN={name} signer")
            self.assertRegex(text, rf"(?m)^ok  certificate path  manifest.json.{number}.p7s")
            if name == "bign128-belt":
                with open(self.manifest, "rb") as content, open(f"{self.manifest}.{number}.p7s", "rb") as signature, \
                        open(suite(name, "ca.pem"), encoding="ascii") as issuer:
                    signer = bign.verify_cms(signature.read(), content.read())
                    bign.verify_certificate(signer, bign.certificate_of_pem(issuer.read()))
            else:
                self.assertTrue(self.stock_accepts(number, suite(name, "ca.pem"), name in NATIONAL), name)
        with open(self.manifest, "ab") as file:
            file.write(b" ")
        code, text = self.verify("--trust", self.path("trust.pem"))
        self.assertEqual(code, 1)
        self.assertEqual(len(re.findall(r"(?m)^FAILED  signature  manifest.json.[1-5].p7s", text)), 5, text)

    def test_a_bign_signature_has_the_structure_of_an_independent_one(self):
        self.seal_as("bign128-belt")

        def tree(file):
            lines = self.openssl("asn1parse", "-inform", "DER", "-in", file).stdout.decode().splitlines()
            kept, skip = [], None
            for line in lines:
                depth, rest = int(re.search(r"d=(\d+)", line).group(1)), line.split("cons:" if "cons:" in line else "prim:")[1]
                # The other product says too which ciphers it can read mail by; it holds no part of a signature.
                if "S/MIME Capabilities" in rest:
                    kept.pop()
                    skip = depth - 1
                elif skip is None or depth <= skip:
                    skip = None
                    kept.append((depth, re.sub(r"(HEX DUMP\]|UTCTIME\s*):.*", r"\1", rest).strip()))
            return kept
        self.assertEqual(tree(self.manifest + ".1.p7s"), tree(suite("bign128-belt", "message.json.p7s")))

    def test_all_curve_sets_of_gost_sign(self):
        self.issue("ca", "gost2012_512", "A", extensions="ca")
        for number, (algorithm, curve) in enumerate(CURVES, 1):
            self.issue("one", algorithm, curve, "ca")
            self.seal(self.path("one.key"), [self.path("one.pem")])
            self.assertTrue(self.stock_accepts(number, self.path("ca.pem"), True), f"{algorithm} {curve}")
        code, text = self.verify("--trust", self.path("ca.pem"))
        self.assertEqual(code, 0, text)

    def test_several_authorities_stamp_one_signature(self):
        self.seal_as("p256-sha256", *[word for name in SUITES for word in ("--tsa", self.authority(name))])
        code, text = self.verify("--trust", self.trust(*SUITES))
        self.assertEqual(code, 0, text)
        for name in SUITES:
            self.assertRegex(text, rf"(?m)^ok  time-stamp  manifest.json.1.p7s: .* by CN={name} tsa")
        self.assertTrue(self.stock_accepts(1, suite("p256-sha256", "ca.pem"), False), "unsigned attributes disturb nobody")
        # The answer beside the signature is the first authority's.
        text = self.openssl("ts", "-reply", "-in", self.manifest + ".1.tsr", "-text").stdout.decode()
        self.assertIn("Status: Granted", text)

    def test_national_time_stamps_over_national_digests(self):
        for name in NATIONAL:
            self.seal_as(name, "--tsa", self.authority(name), "--tsa-digest", IMPRINTS[name])
        code, text = self.verify("--trust", self.trust(*NATIONAL))
        self.assertEqual(code, 0, text)
        self.assertEqual(len(re.findall(r"(?m)^ok  time-stamp  ", text)), 3, text)
        # The gost engine accepts the GOST ones.
        for number, name in ((1, "gost2012-256"), (2, "gost2012-512")):
            value = self.signature_value(f"{self.manifest}.{number}.p7s")
            self.openssl("ts", "-verify", "-data", self.write("value", value), "-in", f"{self.manifest}.{number}.tsr",
                         "-CAfile", suite(name, "ca.pem"), engine=True)
        # One byte of a token, and it holds no more.
        with open(self.manifest + ".3.tsr", "r+b") as file:
            file.seek(-1, 2)
            last = file.read(1)[0]
            file.seek(-1, 2)
            file.write(bytes([last ^ 1]))
        code, text = self.verify("--trust", self.path("trust.pem"))
        self.assertEqual(code, 1, text)

    def test_time_stamps_over_bash_are_judged_alike_by_all_verifiers(self):
        """STB 34.101.77: no product here makes them, so three implementations of our own must agree."""
        others = [[os.path.join(os.path.dirname(EXHIBIT), "exhibit-verify")],
                  [sys.executable, "-B", os.path.join(INDEPENDENT, "verify.py")]]
        trust = suite("bign128-belt", "ca.pem")
        for imprint in ("bash256", "bash384", "bash512"):
            self.seal_as("bign128-belt", "--tsa", self.authority("bign128-belt"), "--tsa-digest", imprint)
        for program in [[EXHIBIT, "verify"], *others]:
            done = subprocess.run([*program, self.case, "--trust", trust], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            good = re.findall(r"(?m)^ok  (?:time-stamp  )?manifest\.json\.\d\.(?:p7s: \d{4}-|tsr: )", done.stdout)
            self.assertEqual(len(good), 3, done.stdout)
        # The first signature's token beside the second is over something else, for all of them.
        shutil.copy(self.manifest + ".1.tsr", self.manifest + ".2.tsr")
        for program in [[EXHIBIT, "verify"], *others]:
            done = subprocess.run([*program, self.case, "--trust", trust], capture_output=True, text=True)
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)

    @staticmethod
    def signature_value(file):
        with open(file, "rb") as stream:
            parts = list(list(bign._whole(stream.read()).children())[1].children())
        return list(next(list(parts[0].children())[-1].children()).children())[5].value

    def test_questions_go_to_another_machine_and_answers_come_back(self):
        for name in ("p256-sha256", "bign128-belt"):
            self.seal_as(name)
        run("seal", self.case, "--export-tsq", self.path("q1.tsq"), "--signature", "1", check=(0,))
        run("seal", self.case, "--export-tsq", self.path("q2.tsq"), check=(0,))
        self.assertIn("Hash Algorithm: sha256", self.openssl("ts", "-query", "-in", "q1.tsq", "-text").stdout.decode())
        config = self.authority("p256-sha256")
        for number in "12":
            self.openssl("ts", "-reply", "-config", config, "-queryfile", f"q{number}.tsq", "-out", f"a{number}.tsr")
            run("seal", self.case, "--import-tsr", self.path(f"a{number}.tsr"), check=(0,))
        code, text = self.verify("--trust", self.trust("p256-sha256", "bign128-belt"))
        self.assertEqual(code, 0, text)
        self.assertEqual(len(re.findall(r"(?m)^ok  time-stamp  ", text)), 2, text)
        # A second authority's answer joins the first; one over something else is refused, and changes nothing.
        self.openssl("ts", "-reply", "-config", self.authority("rsa3072-sha256"), "-queryfile", "q1.tsq", "-out", "b1.tsr")
        run("seal", self.case, "--import-tsr", self.path("b1.tsr"), check=(0,))
        before = self.snapshot()
        self.openssl("ts", "-query", "-data", MESSAGE, "-sha256", "-cert", "-out", "other.tsq")
        self.openssl("ts", "-reply", "-config", config, "-queryfile", "other.tsq", "-out", "other.tsr")
        self.assertNotEqual(run("seal", self.case, "--import-tsr", self.path("other.tsr")).returncode, 0)
        self.assertEqual(before, self.snapshot())
        code, text = self.verify("--trust", self.trust("p256-sha256", "bign128-belt", "rsa3072-sha256"))
        self.assertEqual(code, 0, text)
        self.assertEqual(len(re.findall(r"(?m)^ok  time-stamp  ", text)), 3, text)

    def test_signatures_made_elsewhere_are_checked_when_they_come_in(self):
        run("seal", self.case, *self.incomplete(), "--export-to-sign", self.path("to-sign"), check=(0,))
        other = shutil.copytree(self.case, self.path("other"))
        for name in SUITES:
            # Another copy of the case stands for the product that signs.
            run("seal", other, "--key", suite(name, "signer.key"), "--cert", suite(name, "signer.pem"), check=(0,))
        made = sorted(glob.glob(os.path.join(other, "manifest.json.*.p7s")))
        for file in made:
            run("seal", self.case, "--import-signature", file, check=(0,))
        code, text = self.verify("--trust", self.trust(*SUITES))
        self.assertEqual(code, 0, text)
        self.assertEqual(len(re.findall(r"(?m)^ok  signature  ", text)), 5, text)
        for name in SUITES:
            self.assertNotEqual(run("seal", self.case, "--import-signature", suite(name, "message.json.p7s")).returncode, 0, name)
            self.assertNotEqual(run("seal", self.case, "--import-signature", suite(name, "flipped.p7s")).returncode, 0, name)
        self.assertEqual(len(glob.glob(self.manifest + ".*.p7s")), 5)

    def test_a_key_that_stays_in_a_token(self):
        # SoftHSM2 stands for a smart card; its module reads its configuration by an environment variable.
        os.mkdir(self.path("tokens"))
        environment = {"SOFTHSM2_CONF": self.write("softhsm.conf", f"directories.tokendir = {self.path('tokens')}\n".encode())}
        module = "/usr/lib/softhsm/libsofthsm2.so"
        self.write("pin", b"12345678\n")

        def tool(*words):
            done = subprocess.run(words, cwd=self.folder.name, env={**os.environ, **environment}, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        tool("softhsm2-util", "--init-token", "--free", "--label", "examiner", "--pin", "12345678", "--so-pin", "87654321")
        names = ("p256-sha256", "rsa3072-sha256")
        for number, name in enumerate(names, 1):
            tool("softhsm2-util", "--import", suite(name, "signer.key"), "--token", "examiner", "--label", name, "--id", f"0{number}",
                 "--pin", "12345678")

        def seal(name, certificate, more=f"?module-path={module}&pin-source=file:{self.path('pin')}", check=(0,)):
            return run("seal", self.case, *self.incomplete(), "--key", f"pkcs11:token=examiner;object={name};type=private{more}", "--cert",
                       suite(certificate, "signer.pem"), suite(certificate, "ca.pem"), env=environment, check=check)
        for number, name in enumerate(names, 1):
            seal(name, name)
            self.assertTrue(self.stock_accepts(number, suite(name, "ca.pem"), False), name)
        code, text = self.verify("--trust", self.trust(*names))
        self.assertEqual(code, 0, text)
        # Another key's certificate, a wrong PIN, no such key, no module, a PIN for everybody to read.
        self.write("wrong", b"00000000")
        before = self.snapshot()
        seal(names[0], names[1], check=(2, 3))
        seal(names[0], names[0], f"?module-path={module}&pin-source=file:{self.path('wrong')}", check=(2, 3))
        seal("nobody", names[0], check=(2, 3))
        seal(names[0], names[0], "", check=(2, 3))
        self.assertIn(b"read by everybody", seal(names[0], names[0], f"?module-path={module}&pin-value=12345678", check=(2, 3)).stderr)
        self.assertEqual(before, self.snapshot())


if __name__ == "__main__":
    unittest.main(verbosity=2)
