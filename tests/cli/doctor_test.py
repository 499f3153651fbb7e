"""doctor tries each forbidden act in a sealed worker, and each is prevented."""
import unittest
from support import run


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


if __name__ == "__main__":
    unittest.main(verbosity=2)
