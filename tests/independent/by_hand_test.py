#!/usr/bin/env python3
"""Every command of docs/verify-by-hand.md, on a case that Exhibit sealed: each must say what the page promises.

Usage: by_hand_test.py BIN CORPORA
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import make_disclosure
from authority import Authority, openssl
from make_case import custody_line
from verify import canonical, sha256

BIN = CORPORA = None
HERE = Path(__file__).resolve().parent
PAGE = HERE.parent.parent / "docs/verify-by-hand.md"


def blocks():
    """(commands, what they promise to say) of the page, in its order."""
    found = re.findall(r"^```sh\n(.*?)^```\n```text\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(found) == PAGE.read_text(encoding="utf-8").count("```sh"), "a block of commands without its output"
    return found


def matches(promised, said):
    """Whether the words are those promised, `…` standing for anything: on a line of its own, for any lines."""
    lines = ["(?:.*\n)*?" if line == "…\n" else re.escape(line).replace("…", ".*") for line in promised.splitlines(keepends=True)]
    return re.fullmatch("".join(lines), said) is not None


class ByHand(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="exhibit-by-hand-")
        cls.folder = Path(cls.temporary.name)
        cls.make_case()
        shutil.copytree(CORPORA / "crypto/bign128-belt", cls.folder / "bign")
        shutil.copy(CORPORA / "crypto/message.json", cls.folder)
        for name in ("bign.py", "verify.py"):
            shutil.copy(HERE / name, cls.folder)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    @classmethod
    def exhibit(cls, *words):
        done = subprocess.run([BIN / "exhibit", *map(str, words)], capture_output=True, text=True, cwd=cls.folder)
        assert done.returncode in (0, 4), f"exhibit {words}: {done.stderr}"

    @classmethod
    def make_case(cls):
        """A FAT drive with files, processed and sealed by Exhibit: two signers, one of them by GOST, and a time-stamp."""
        cls.make_drive(cls.folder / "drive.raw")
        (cls.folder / "words.yar").write_text('rule born { strings: $a = "born" condition: $a }\n')
        cls.exhibit("process", "drive.raw", "--case", "case", "--number", "BY-HAND-1", "--examiner", "A. Examiner", "--rules", "words.yar")
        authority = Authority(cls.folder / "pki")
        authority.config.write_text("[tsa]\ndefault_tsa = ts\n" + authority.config.read_text())
        shutil.copy(authority.trust, cls.folder / "ca.pem")
        cls.make_ledger(authority)
        cls.exhibit("seal", "case", "--key", authority.path("signer.key"), "--cert", authority.path("signer.pem"), "--tsa", authority.config,
                    "--incomplete", "made by a test")
        cls.sign_by_gost()
        maker = make_disclosure.Maker(cls.folder / "case")
        busy = next(r["item"] for r in maker.records if r["record"] == "match")
        (cls.folder / "disclosure.json").write_bytes(canonical(maker.disclosure([busy])))

    @staticmethod
    def make_drive(path):
        with open(path, "wb") as file:
            file.truncate(4 << 20)
        environment = {**os.environ, "MTOOLS_SKIP_CHECK": "1"}
        subprocess.run(["mkfs.fat", "--invariant", "-F", "12", path], check=True, capture_output=True)
        for name, content in (("A.TXT", b"All human beings are born free\n"), ("B.BIN", bytes(range(256)) * 40), ("EMPTY", b"")):
            subprocess.run(["mcopy", "-i", path, "-", f"::{name}"], input=content, check=True, capture_output=True, env=environment)

    @classmethod
    def make_ledger(cls, authority):
        """`received` and one event more; what processing wrote, if it did, stands before."""
        path = cls.folder / "case/custody.jsonl"
        lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
        for event in ("received", "reviewed") if not lines else ("reviewed",):
            lines.append(custody_line(authority, len(lines) + 1, event, sha256(lines[-1]).hex() if lines else "0" * 64))
        path.write_bytes(b"".join(line + b"\n" for line in lines))

    @classmethod
    def sign_by_gost(cls):
        """As the holder of a GOST key would, with the engine."""
        folder = cls.folder
        extensions = {"ca": "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n",
                      "signer": "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"}
        for name in ("ca", "signer"):
            (folder / f"gost-{name}.ext").write_text(extensions[name])
            openssl("genpkey", "-engine", "gost", "-algorithm", "gost2012_256", "-pkeyopt", "paramset:A", "-out", folder / f"gost-{name}.key")
            openssl("req", "-engine", "gost", "-new", "-md_gost12_256", "-key", folder / f"gost-{name}.key", "-subj", f"/CN=GOST {name}", "-out",
                    folder / f"gost-{name}.csr")
            by = ["-signkey", folder / "gost-ca.key"] if name == "ca" else ["-CA", folder / "gost-ca.pem", "-CAkey", folder / "gost-ca.key", "-CAcreateserial"]
            openssl("x509", "-engine", "gost", "-req", "-md_gost12_256", "-in", folder / f"gost-{name}.csr", *by, "-days", "30", "-extfile",
                    folder / f"gost-{name}.ext", "-out", folder / f"gost-{name}.pem")
        openssl("cms", "-sign", "-engine", "gost", "-binary", "-cades", "-md", "md_gost12_256", "-signer", folder / "gost-signer.pem", "-inkey",
                folder / "gost-signer.key", "-in", folder / "case/manifest.json", "-outform", "DER", "-out", folder / "case/manifest.json.2.p7s")

    def do(self, commands):
        environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
        return subprocess.run(["bash", "-euo", "pipefail", "-c", commands], cwd=self.folder, env=environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def test_every_command_says_what_the_page_promises(self):
        for commands, promised in blocks():
            with self.subTest(commands):
                done = self.do(commands)
                self.assertEqual(done.returncode, 0, done.stdout)
                self.assertTrue(matches(promised, done.stdout), f"promised:\n{promised}\nsaid:\n{done.stdout}")

    def test_the_page_knows_a_changed_case(self):
        """The same commands, after one digit of a finding was changed: not all of them are content."""
        path = self.folder / "case/findings/E1.jsonl"
        good = path.read_bytes()
        at = good.index(b'"size":') + 7
        path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1:])
        try:
            refused = []
            for commands, promised in blocks():
                done = self.do(commands)
                if done.returncode or not matches(promised, done.stdout):
                    refused.append(commands.split("\n")[0])
        finally:
            path.write_bytes(good)
        self.assertGreaterEqual(len(refused), 3, refused)


if __name__ == "__main__":
    BIN, CORPORA = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    unittest.main(argv=sys.argv[:1], verbosity=2)
