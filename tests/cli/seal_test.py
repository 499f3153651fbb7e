"""Sealing: signatures that stock openssl accepts, time-stamps, several signers, signatures made elsewhere; and the
independent verifier, with all its tamperings, on a case that Exhibit made."""
import os, subprocess, sys, tempfile, unittest
from support import BIN, EXHIBIT, INCOMPLETE, findings, lines, run, unpack

INDEPENDENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "independent")
sys.path.insert(0, INDEPENDENT)
from authority import Authority


def openssl(*words):
    return subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True)


class Seal(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.authority = Authority(self.path("pki"))
        self.authority.config.write_text("[tsa]\ndefault_tsa = ts\n" + self.authority.config.read_text())
        self.images = [unpack("images/con-p-gptfat.raw.xz", self.folder.name, "first.raw"),
                       unpack("images/image.dd", self.folder.name, "second.dd")]
        self.case = self.path("case")

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def process(self):
        run("process", *self.images, "--case", self.case, "--number", "17/2026", "--examiner", "A. Examiner", check=(0, 4))

    def seal(self, signer, *more):
        pki = self.authority
        first = () if os.path.exists(os.path.join(self.case, "manifest.json")) else INCOMPLETE
        return run("seal", self.case, "--key", str(pki.path(signer + ".key")), "--cert", str(pki.path(signer + ".pem")), *first, *more, check=(0,))

    def verify(self, *more):
        return run("verify", self.case, "--trust", str(self.authority.trust), *more)

    def verify_independently(self, *more):
        return subprocess.run([sys.executable, os.path.join(INDEPENDENT, "verify.py"), self.case, "--trust", self.authority.trust, *more],
                              capture_output=True, text=True)

    def test_two_images_two_signers_and_a_time_stamp(self):
        self.process()
        self.seal("signer", "--tsa", str(self.authority.config))
        self.authority.issue("second", "signer_extensions")
        self.seal("second")
        self.assertEqual(lines(findings(self.case, "E2"))[0]["id"], "E2")
        done = self.verify("--evidence", "E1=" + self.images[0], "--evidence", "E2=" + self.images[1])
        text = done.stdout.decode()
        self.assertEqual(done.returncode, 0, text)
        for name in ("manifest.json.1.p7s", "manifest.json.2.p7s"):
            self.assertRegex(text, rf"ok +signature +{name}")
            stock = openssl("cms", "-verify", "-binary", "-inform", "DER", "-in", os.path.join(self.case, name), "-content",
                            os.path.join(self.case, "manifest.json"), "-CAfile", self.authority.trust, "-purpose", "any", "-out", "/dev/null")
            self.assertEqual(stock.returncode, 0, stock.stderr)
        self.assertRegex(text, r"ok +time-stamp +manifest.json.1")
        self.assertEqual(len(__import__("re").findall(r"ok +block_root", text)), 2)
        script = self.verify_independently("--evidence", "E1=" + self.images[0], "--evidence", "E2=" + self.images[1])
        self.assertEqual(script.returncode, 0, script.stdout)
        self.assertRegex(script.stdout, r"ok +.*tsr")

    def test_a_signature_that_another_product_made(self):
        self.process()
        run("seal", self.case, "--export-to-sign", self.path("to-sign"), *INCOMPLETE, check=(0,))
        self.assertEqual(self.verify().returncode, 1, "nothing is signed yet")
        with open(self.path("to-sign"), "rb") as file:
            signature = self.authority.sign(file.read())
        with open(self.path("made.p7s"), "wb") as file:
            file.write(signature)
        run("seal", self.case, "--import-signature", self.path("made.p7s"), check=(0,))
        done = self.verify()
        self.assertEqual(done.returncode, 0, done.stdout.decode())
        with open(self.path("other.p7s"), "wb") as file:
            file.write(self.authority.sign(b"something else"))
        self.assertNotEqual(run("seal", self.case, "--import-signature", self.path("other.p7s")).returncode, 0)

    def test_three_verifiers_agree_on_this_case_and_on_all_its_tampered_forms(self):
        self.images = self.images[:1]
        self.process()
        self.seal("signer", "--tsa", str(self.authority.config))
        done = subprocess.run([sys.executable, "-B", os.path.join(INDEPENDENT, "test_tampering.py"), "cases", "--exhibit", EXHIBIT,
                               "--second", os.path.join(BIN, "exhibit-verify"), "--case", self.case, "--trust", str(self.authority.trust), "--image", self.images[0]], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout[-3000:] + done.stderr[-2000:])
        self.assertGreater(int(done.stdout.split()[-4]), 100, done.stdout[-300:])

    def ledger(self, event):
        with open(os.path.join(self.case, "custody.jsonl"), "rb") as file:
            return [line for line in lines(file.read()) if line["event"] == event]

    def test_a_sealing_that_fails_is_gone_on_from_and_tells_nothing_twice(self):
        self.images = self.images[:1]
        self.process()
        in_the_way = os.path.join(self.case, "manifest.json.new")
        os.mkdir(in_the_way)
        words = ["seal", self.case, "--key", str(self.authority.path("signer.key")), "--cert", str(self.authority.path("signer.pem")), *INCOMPLETE]
        self.assertEqual(run(*words).returncode, 3)
        os.rmdir(in_the_way)
        run(*words, check=(0,))
        self.assertEqual([len(self.ledger("processed")), len(self.ledger("sealed"))], [1, 1])
        self.assertEqual(self.verify().returncode, 0)
        # The exact words: a reader repeats it by them.
        self.assertEqual(self.ledger("processed")[0]["detail"]["command"],
                         ["exhibit", "process", *self.images, "--case", self.case, "--number", "17/2026", "--examiner", "A. Examiner"])

    def test_an_unfinished_case_is_not_sealed(self):
        os.mkdir(self.case)
        done = run("seal", self.case, "--key", str(self.authority.path("signer.key")), "--cert", str(self.authority.path("signer.pem")))
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"no findings", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
