#!/usr/bin/env python3
"""exhibit-verify alone: signatures that other products made, and bytes that mean it harm.

Usage: second_test.py signatures|hostile EXHIBIT-VERIFY CORPORA
"""

import random
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import make_case
import make_disclosure
from verify import canonical

PROGRAM = CORPORA = None
HERE = Path(__file__).resolve().parent
SUITES = ["p256-sha256", "rsa3072-sha256", "gost2012-256", "gost2012-512", "bign128-belt"]


def run(*arguments):
    """(exit code, output); a signal shows as a negative code."""
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, timeout=120)
    return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")


def by_script(*arguments):
    done = subprocess.run([sys.executable, "-B", HERE / "verify.py", *map(str, arguments)], capture_output=True, timeout=120)
    return done.returncode, done.stdout.decode("utf-8", "replace")


class Signatures(unittest.TestCase):
    """Stock OpenSSL, gost-engine and an STB engine made these."""

    def judge(self, suite, signature, stamp=None, trust=None):
        folder = CORPORA / "crypto"
        arguments = ["--content", folder / "message.json", "--signature", folder / suite / signature,
                     *(["--timestamp", folder / stamp] if stamp else []), "--trust", folder / (trust or f"{suite}/ca.pem")]
        first, second = run(*arguments), by_script(*arguments)
        self.assertEqual(first[0], second[0], f"{first[1]}\n{second[1]}")
        return first

    def test_good(self):
        for suite in SUITES:
            code, text = self.judge(suite, "message.json.p7s", f"{suite}/message.json.tsr")
            self.assertEqual(code, 0, text)
            for name in ("signature", "time-stamp", "certificate path", "signer's certificate"):
                self.assertIn(f"ok  {name}  ", text)

    def test_flipped_and_of_another_message(self):
        for suite in SUITES:
            for name in ("flipped.p7s", "other-message.p7s"):
                code, text = self.judge(suite, name)
                self.assertEqual(code, 1, text)
                self.assertIn("FAILED  signature  ", text)

    def test_time_stamp_of_another_signature(self):
        for suite, other in zip(SUITES, SUITES[1:] + SUITES[:1]):
            code, text = self.judge(suite, "message.json.p7s", f"{other}/message.json.tsr")
            self.assertEqual(code, 1, text)
            self.assertIn("FAILED  time-stamp  ", text)

    def test_path_to_another_authority(self):
        for suite, other in zip(SUITES, SUITES[1:] + SUITES[:1]):
            code, text = self.judge(suite, "message.json.p7s", trust=f"{other}/ca.pem")
            self.assertEqual(code, 1, text)
            self.assertIn("FAILED  certificate path  ", text)


class Hostile(unittest.TestCase):
    """Whatever the bytes: an exit code of the four, within the time, and never `verified` for what was changed."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="exhibit-hostile-")
        cls.path = Path(cls.folder.name)
        cls.case = make_case.make_case(cls.path, content=True)
        maker = make_disclosure.Maker(cls.case)
        items = [r["id"] for r in maker.records if r["record"] == "item"]
        cls.disclosure = canonical(maker.disclosure(items[:2], ["E1/gap0"], ["sha256:" + "ab" * 32]))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def mutations(self, data, seed, count):
        """Flipped bits, bytes set, cuts, doubled and removed pieces; the same ones each time."""
        source = random.Random(seed)
        for _ in range(count):
            at, length = source.randrange(len(data)), source.randrange(1, 40)
            kind = source.randrange(5)
            yield [data[:at] + bytes([data[at] ^ 1 << source.randrange(8)]) + data[at + 1:],
                   data[:at] + bytes([source.choice(b"\0\x7f\x80\xff{[\"")]) + data[at + 1:],
                   data[:at],
                   data[:at] + data[at:at + length] + data[at:],
                   data[:at] + data[at + length:]][kind]

    def expect_refusal(self, data, arguments, place, trust):
        place.write_bytes(data)
        code, text = run(*arguments, "--trust", trust)
        self.assertIn(code, (0, 1, 3), text)
        return code

    def each(self, good, seed, count, arguments, place, trust, may_pass=lambda data: False):
        for data in self.mutations(good, seed, count):
            if data != good and self.expect_refusal(data, arguments, place, trust) == 0 and not may_pass(data):
                self.fail(f"verified, though changed: {place.name}: {data.hex()[:4000]}")
        place.write_bytes(good)

    def test_bytes_of_a_case(self):
        trust = self.path / "ca.pem"
        for seed, name in enumerate(("manifest.json", "custody.jsonl", "findings/E1.jsonl", "secret/E1.salts")):
            self.each((self.case / name).read_bytes(), seed, 60, [self.case], self.case / name, trust)

    def test_bytes_of_a_signature_and_a_time_stamp(self):
        """A changed byte outside of what is signed may leave the signature good: an unsigned attribute, a spare certificate."""
        trust = self.path / "ca.pem"
        for seed, name in enumerate(("manifest.json.1.p7s", "manifest.json.1.tsr"), 10):
            self.each((self.case / name).read_bytes(), seed, 200, [self.case], self.case / name, trust, lambda data: True)
        self.assertEqual(run(self.case, "--trust", trust)[0], 0)

    def test_bytes_of_other_suites(self):
        message = CORPORA / "crypto/message.json"
        changed = self.path / "changed.p7s"
        for seed, suite in enumerate(SUITES, 20):
            folder = CORPORA / "crypto" / suite
            self.each((folder / "message.json.p7s").read_bytes(), seed, 60, ["--content", message, "--signature", changed], changed,
                      folder / "ca.pem", lambda data: True)
            self.each((folder / "message.json.tsr").read_bytes(), seed + 100, 60,
                      ["--content", message, "--signature", folder / "message.json.p7s", "--timestamp", changed], changed,
                      folder / "ca.pem", lambda data: True)
            self.each((folder / "ca.pem").read_bytes(), seed + 200, 60, ["--content", message, "--signature", folder / "message.json.p7s"],
                      changed, changed, lambda data: True)

    def test_every_byte_of_a_signature_value(self):
        folder = CORPORA / "crypto/bign128-belt"
        good = (folder / "message.json.p7s").read_bytes()
        changed = self.path / "changed.p7s"
        for at in range(len(good) - 48, len(good)):
            data = good[:at] + bytes([good[at] ^ 1 << at % 8]) + good[at + 1:]
            code = self.expect_refusal(data, ["--content", CORPORA / "crypto/message.json", "--signature", changed], changed, folder / "ca.pem")
            self.assertEqual(code, 1)

    def test_bytes_of_a_disclosure(self):
        place = self.path / "changed.json"
        place.write_bytes(self.disclosure)
        self.assertEqual(run(place, "--trust", self.path / "ca.pem")[0], 0)
        self.each(self.disclosure, 30, 200, [place], place, self.path / "ca.pem", lambda data: self.same_but_for_signature(data))

    def same_but_for_signature(self, data):
        """Whether only the base64 of the signature or the time-stamp was changed (see above)."""
        start, end = self.disclosure.index(b'"signatures"'), self.disclosure.index(b'"volumes"')
        tail = len(self.disclosure) - end
        return data[:start] == self.disclosure[:start] and data[len(data) - tail:] == self.disclosure[end:]

    def test_what_is_huge_or_deep(self):
        place = self.path / "changed.json"
        for data in (b"[" * 10**6, b'{"a":' * 10**6, b'"' + b"a" * 10**7, b"1" * 10**6, b"[" + b"0," * 3 * 10**6 + b"0]", b"", b"\0" * 10**6,
                     b'{"format":"exhibit-disclosure/1"}', b'{"format":"exhibit-disclosure/1","manifest":"' + b"[" * 10**6 + b'"}'):
            self.assertEqual(self.expect_refusal(data, [place], place, self.path / "ca.pem"), 1)

    def test_usage(self):
        self.assertEqual(run()[0], 2)
        self.assertEqual(run("--what")[0], 2)
        self.assertEqual(run(self.case, "--trust")[0], 2)
        self.assertEqual(run(self.case, self.case)[0], 2)
        self.assertEqual(run("--content", self.case)[0], 2)
        self.assertEqual(run(self.path / "nothing")[0], 3)
        self.assertEqual(run(self.case, "--trust", self.path / "nothing")[0], 3)
        self.assertEqual(run(self.case, "--trust", self.case / "manifest.json")[0], 3)


if __name__ == "__main__":
    kind, PROGRAM, CORPORA = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    unittest.main(argv=sys.argv[:1] + [{"signatures": "Signatures", "hostile": "Hostile"}[kind]], verbosity=2)
