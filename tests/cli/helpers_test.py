"""The helper programs are sealed: each forbidden act, tried inside of them, kills them or is refused."""
import json, os, re, signal, subprocess, unittest
from support import EXHIBIT, run

BIN = os.path.dirname(EXHIBIT)
# What a helper's work includes (docs/sandbox.md, "The helpers").
TYPESETTING = {"look-up-file", "thread"}
TOKENS = {"open-file", "open-evidence-by-name", "open-file-otherwise", "look-up-file", "create-file", "unlink", "chmod",
          "socket-unix", "send-to-address", "ioctl", "shared-memory", "thread"}


def acts(but=()):
    names = re.findall(r"(?m)^([a-z0-9-]+) +prevented", run("doctor", check=(0,)).stdout.decode())
    assert len(names) > 30, names
    return [name for name in names if name not in but]


class Helpers(unittest.TestCase):
    def ask(self, role, question):
        """(exit status, answer), over pipes: a sealed process can't make a file grow."""
        done = subprocess.run([os.path.join(BIN, "exhibit-crypto"), role], input=json.dumps(question) + "\n", capture_output=True, text=True)
        return done.returncode, json.loads(done.stdout) if done.stdout else None

    def test_crypto(self):
        for role, free in (("gost", ()), ("token", TOKENS)):
            code, state = self.ask(role, {"do": "state"})
            self.assertEqual(code, 0)
            self.assertTrue(all(state["seal"].values()), state)
            for act in acts(free):
                code, answer = self.ask(role, {"do": "attempt", "act": act})
                if code != -signal.SIGSYS:
                    self.assertEqual((code, answer and answer["refused"]), (0, True), f"{role}: {act}: {answer}")

    def test_protocol(self):
        for act in acts(TYPESETTING):
            done = subprocess.run([os.path.join(BIN, "exhibit-protocol"), act], capture_output=True)
            self.assertIn(done.returncode, (0, -signal.SIGSYS), act)
        for act in TYPESETTING - {"look-up-file"}:
            done = subprocess.run([os.path.join(BIN, "exhibit-protocol"), act], capture_output=True)
            self.assertEqual(done.returncode, 1, f"{act}: pango needs it")

    def test_one_process_is_for_one_thing(self):
        self.assertEqual(subprocess.run([os.path.join(BIN, "exhibit-crypto")], capture_output=True).returncode, 2)
        code, answer = self.ask("gost", {"do": "sign", "uri": "pkcs11:object=key", "module": "/no/such.so", "digest": "00"})
        self.assertEqual((code, answer), (0, {"error": "this process is for GOST"}))
        code, answer = self.ask("token", {"do": "verify", "key": "00", "digest": "00", "signature": "00"})
        self.assertEqual(code, 0)
        self.assertIn("error", answer)


if __name__ == "__main__":
    unittest.main(verbosity=2)
