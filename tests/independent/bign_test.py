"""bign.py on the published vectors, and on signatures that an independent product made."""
import json
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

# STB 34.101.77, A.3: the digest's bytes, how many of the substitution H are the message, the digest.
BASH = [(32, 0, "114c3dfae373d9bcbc3602d6386f2d6a2059ba1bf9048dbaa5146a6cb775709d"),
        (32, 127, "3d7f4efa00e9ba33feed259986567dcf5c6d12d51057a968f14f06cc0f905961"),
        (32, 128, "d7f428311254b8b2d00f7f9eefbd8f3025fa87c4babd1bddbe87e35b7ac80dd6"),
        (32, 135, "1393fa1b65172f2d18946aeae576fa1cf54fdd354a0cb2974a997dc4865d3100"),
        (48, 95, "64334af830d33f63e9acdfa184e32522103fff5c6860110a2cd369edbc04387c501d8f92f749ae4de15a8305c353d64d"),
        (48, 96, "d06efbc16fd6c0880cbfc6a4e3d65ab101fa82826934190faabebfbffede93b22b85ea72a7fb3147a133a5a8febd8320"),
        (64, 63, "2a66c87c189c12e255239406123bdedbf19955eaf0808b2ad705e249220845e20f4786fb6765d0b5c48984b1b16556ef19ea8192b985e4233d9c09508d6339e7"),
        (64, 64, "07abbf8580e7e5a321e9b940f667ae209e2952cef557978ae743db086bab4885b708233c3f5541df8aafc3611482fde498e58b3379a6622dac2664c9c118a162"),
        (64, 192, "8724c7ff8a2a83f22e38cb9763777b96a70aba3444f214c763d93cd6d19fcfde6c3d3931857c4ff6cccd49bd99852fe9eaa7495eccdd96b571e0edcf47f89768")]


class Bign(unittest.TestCase):
    def test_belt_hash(self):
        for length, digest in ((13, "abef9725d4c5a83597a367d14494cc2542f20f659ddfecc961a3ec550cba8c75"),
                               (32, "749e4c3653aece5e48db4761227742eb6dbe13f4a80f7beff1a9cf8d10ee7786"),
                               (48, "9d02ee446fb6a29fe5c982d4b13af9d3e90861bc4cef27cf306bfb0b174a154a")):
            self.assertEqual(bign.belt_hash(bign.SUBSTITUTION[:length]).hex(), digest)

    def test_bash_hash(self):
        for size, length, digest in BASH:
            self.assertEqual(bign.bash_hash(size, bign.SUBSTITUTION[:length]).hex(), digest, (size, length))

    def test_answers_of_the_corpora(self):
        seen = set()
        with open(os.path.join(CORPORA, "hash", "stb-kat.jsonl"), encoding="utf-8") as lines:
            for answer in map(json.loads, lines):
                name, data = answer["alg"], bytes.fromhex(answer["input_hex"])
                digest = bign.belt_hash(data) if name == "belt-hash" else bign.bash_hash(int(name[5:]) // 8, data)
                self.assertEqual(digest.hex(), answer["digest"], answer)
                seen.add(name)
        self.assertEqual(seen, {"belt-hash", "bash-256", "bash-384", "bash-512"})

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
