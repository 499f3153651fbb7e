"""A sealed case, and the image read again against it."""
import os, shutil, subprocess, tempfile, unittest
from support import CORPORA, INCOMPLETE, findings, lines, make_keys, run, unpack


class Evidence(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.key, cls.certificate, cls.authority = make_keys(cls.folder.name)
        cls.image = unpack("images/con-p-gptfat.raw.xz", cls.folder.name, "drive.raw")
        cls.case = os.path.join(cls.folder.name, "case")
        run("process", cls.image, "--case", cls.case, "--number", "7", "--examiner", "A. Examiner", check=(0, 4))
        run("seal", cls.case, "--key", cls.key, "--cert", cls.certificate, *INCOMPLETE, check=(0,))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def verify(self, *more, image=None):
        return run("verify", self.case, "--trust", self.authority, "--evidence", "E1=" + (image or self.image), *more)

    def test_the_untouched_image_is_verified(self):
        done = self.verify()
        self.assertEqual(done.returncode, 0, done.stdout.decode())
        self.assertIn(b"verdict: verified", done.stdout)
        self.assertRegex(done.stdout.decode(), r"ok +item content .*items read again")

    def test_an_e01_of_the_same_medium_is_verified(self):
        subprocess.run(["ewfacquire", "-u", "-q", "-t", os.path.join(self.folder.name, "same"), "-c", "fast", self.image], check=True, capture_output=True)
        done = self.verify(image=os.path.join(self.folder.name, "same.E01"))
        self.assertEqual(done.returncode, 0, done.stdout.decode())

    def test_one_changed_byte_is_told_by_item_and_offset(self):
        records = lines(findings(self.case))
        volume = next(record for record in records if record["record"] == "volume" and "filesystem" in record)
        item = next(record for record in records if record["record"] == "item" and record.get("extents") and record["size"] > 3000
                    and record["kind"] == "file" and record["state"] == "allocated")
        at = volume["offset"] + item["extents"][0][0] + 1234
        changed = os.path.join(self.folder.name, "changed.raw")
        shutil.copyfile(self.image, changed)
        with open(changed, "r+b") as file:
            file.seek(at)
            byte = file.read(1)
            file.seek(at)
            file.write(bytes([byte[0] ^ 0x20]))
        done = self.verify(image=changed)
        self.assertEqual(done.returncode, 1)
        told = [line for line in done.stdout.decode().splitlines() if line.startswith("FAILED") and item["id"] in line]
        self.assertEqual(len(told), 1, done.stdout.decode())
        start, end = (int(word) for word in told[0].split("media offset ")[1].rstrip(")").split(" to "))
        self.assertTrue(start <= at < end, told)
        self.assertIn("NOT VERIFIED", done.stdout.decode().splitlines()[-1])

    def test_a_shorter_image_is_not_verified(self):
        cut = os.path.join(self.folder.name, "cut.raw")
        shutil.copyfile(self.image, cut)
        os.truncate(cut, os.path.getsize(cut) - 4096)
        self.assertEqual(self.verify(image=cut).returncode, 1)

    def test_a_sample_says_what_it_left_out(self):
        done = self.verify("--sample", "3")
        self.assertEqual(done.returncode, 0, done.stdout.decode())
        self.assertRegex(done.stdout.decode(), r"not checked: \d+ items: only a sample")

    def test_without_the_image_it_says_so(self):
        done = run("verify", self.case, "--trust", self.authority, check=(0,))
        self.assertRegex(done.stdout.decode(), r"not checked: .*image")

    def test_without_trust_the_path_is_not_checked(self):
        done = run("verify", self.case)
        self.assertRegex(done.stdout.decode(), r"not checked: .*trust")

    def test_a_sealed_case_is_not_processed_again(self):
        self.assertEqual(run("process", self.image, "--case", self.case).returncode, 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
