"""doctor tries each forbidden act in a sealed worker, and each is prevented."""
import os, shutil, subprocess, tempfile, unittest
from support import EXHIBIT, run


class Doctor(unittest.TestCase):
    def test_every_forbidden_act_is_prevented(self):
        done = run("doctor", check=(0,))
        text = done.stdout.decode()
        self.assertNotIn("WENT THROUGH", text)
        for act in ("open-file", "socket-inet", "exec", "fork", "executable-memory"):
            self.assertRegex(text, rf"{act} +prevented")
        self.assertRegex(text, r"landlock_abi +[1-9]")
        self.assertRegex(text, r"seccomp +true")
        self.assertRegex(text, r"mounting +(libfuse 3|no: )")

    def test_engines_are_shown_and_tried(self):
        text = run("doctor", check=(0,)).stdout.decode()
        self.assertRegex(text, r"GOST .*gost engine +works: judges the standard's example rightly; sealed")
        self.assertRegex(text, r"pkcs11 engine +works: .*; sealed")
        self.assertRegex(text, r"exhibit-protocol +works: makes pages")
        self.assertRegex(text, r"time-stamps +RFC 3161")

    def test_what_is_missing_is_said(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("exhibit", "exhibit-worker"):
                shutil.copy(os.path.join(os.path.dirname(EXHIBIT), name), folder)
            done = subprocess.run([os.path.join(folder, "exhibit"), "doctor"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"gost engine +no: exhibit-crypto is missing")
        self.assertRegex(done.stdout, r"pkcs11 engine +no: exhibit-crypto is missing")
        self.assertRegex(done.stdout, r"exhibit-protocol +no: ")


if __name__ == "__main__":
    unittest.main(verbosity=2)
