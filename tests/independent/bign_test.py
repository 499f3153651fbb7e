"""bign.py on the published vectors, and on signatures that an independent product made."""
import os
import subprocess
import sys
import unittest

CORPORA = os.path.abspath(sys.argv.pop(1) if len(sys.argv) > 1 else "../shared/corpora")
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import bign

# STB 34.101.45, annex G: the key pair, and signatures over the first 13 and 48 bytes of the substitution H.
KEY = bytes.fromhex("bd1a5650179d79e03fcee49d4c2bd5ddf54ce46d0cf11e4ff87bf7a890857fd0"
                    "7ac6a60361e8c8173491686d461b2826190c2eda5909054a9ab84d2ab9d99a90")
VECTORS = [(13, "e36b7f0377ae4c524027c387fadf1b20ce72f1530b71f2b5fd3a8c584fe2e1aed20082e30c8af65011f4fb54649dfd3d"),
           (48, "47a63c8b9c936e94b5fab3d9cbd78366290f3210e163eec8db4e921e8479d4138f112cc23e6dce65ec5ff21df4231c28")]


class Bign(unittest.TestCase):
    def test_belt_hash(self):
        for length, digest in ((13, "abef9725d4c5a83597a367d14494cc2542f20f659ddfecc961a3ec550cba8c75"),
                               (32, "749e4c3653aece5e48db4761227742eb6dbe13f4a80f7beff1a9cf8d10ee7786"),
                               (48, "9d02ee446fb6a29fe5c982d4b13af9d3e90861bc4cef27cf306bfb0b174a154a")):
            self.assertEqual(bign.belt_hash(bign.SUBSTITUTION[:length]).hex(), digest)

    def test_published_signatures_hold_and_no_changed_one(self):
        for length, signature in VECTORS:
            digest, signature = bign.belt_hash(bign.SUBSTITUTION[:length]), bytes.fromhex(signature)
            self.assertTrue(bign.verify(KEY, digest, signature))
            for at in range(0, len(signature), 7):
                changed = signature[:at] + bytes([signature[at] ^ 1]) + signature[at + 1:]
                self.assertFalse(bign.verify(KEY, digest, changed))
            above = (int.from_bytes(signature[16:], "little") + bign.Q).to_bytes(33, "little")
            self.assertFalse(bign.verify(KEY, digest, signature[:16] + above[:32]))
            self.assertFalse(bign.verify(bytes([KEY[0] ^ 1]) + KEY[1:], digest, signature), "a point off the curve")

    def test_signatures_of_an_independent_product(self):
        def check(signature):
            folder = os.path.join(CORPORA, "crypto")
            done = subprocess.run([sys.executable, "-B", os.path.join(HERE, "bign.py"), os.path.join(folder, "message.json"),
                                   os.path.join(folder, "bign128-belt", signature), os.path.join(folder, "bign128-belt", "ca.pem")],
                                  capture_output=True, text=True)
            return done.returncode, done.stdout.split(":")[0].strip()
        self.assertEqual(check("message.json.p7s"), (0, "ok"))
        self.assertEqual(check("flipped.p7s"), (1, "FAILED"))
        self.assertEqual(check("other-message.p7s"), (1, "FAILED"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
