"""Broken containers: an error or a located doubt, never raw and never silent zeros."""
import hashlib, os, random, shutil, struct, subprocess, sys, tempfile, unittest, zlib
from support import CORPORA, INCOMPLETE, findings, lines, make_keys, run

MiB = 1 << 20


class Corrupt(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def process(self, image):
        case = os.path.join(self.folder.name, "case")
        shutil.rmtree(case, ignore_errors=True)
        done = run("process", image, "--case", case)
        return done, lines(findings(case)) if os.path.exists(os.path.join(case, "findings", "E1.jsonl")) else []

    def copy(self, name, change=None, to=None):
        target = os.path.join(self.folder.name, to or name)
        with open(os.path.join(CORPORA, "images", name), "rb") as file:
            data = bytearray(file.read())
        with open(target, "wb") as out:
            out.write(change(data) if change else data)
        return target

    def test_a_bad_chunk_is_a_located_doubt(self):
        done, records = self.process(os.path.join(CORPORA, "images", "con-p-badchunk.E01"))
        self.assertEqual(done.returncode, 1)
        self.assertEqual(records[0]["integrity"], "unreadable")
        self.assertNotIn("digests", records[0])
        extents = [record["extent"] for record in records if record["record"] == "problem" and record["where"] == "E1"]
        self.assertIn([64 * 512, 64 * 512], extents)
        doubted = [record for record in records if record.get("doubt")]
        self.assertFalse([item for item in doubted if "digests" in item])
        self.assertGreater(records[-1]["bytes"]["unreadable"], 0)

    def test_what_is_carved_over_a_bad_chunk_is_not_validated_and_has_no_digest(self):
        noise = random.Random(5).randbytes(200_000)
        sound = b"RIFF" + (36 + len(noise)).to_bytes(4, "little") + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)
        sound += b"data" + len(noise).to_bytes(4, "little") + noise
        raw = os.path.join(self.folder.name, "raw")
        with open(raw, "wb") as file:
            file.write(bytes(8192) + sound + bytes(MiB - 8192 - len(sound)))
        subprocess.run(["ewfacquire", "-u", "-q", "-c", "none", "-t", os.path.join(self.folder.name, "sound"), raw], check=True, capture_output=True)
        image = os.path.join(self.folder.name, "sound.E01")
        def item(records):
            found = [record for record in records if record.get("state") == "carved" and record["signature"] == "wav"]
            self.assertEqual([record["size"] for record in found], [len(sound)])
            return found[0]
        whole = item(self.process(image)[1])
        self.assertEqual(whole["digests"]["sha256"], hashlib.sha256(sound).hexdigest())
        with open(image, "r+b") as file:
            at = file.read().index(noise[100_000:100_100])
            file.seek(at)
            file.write(bytes(100))
        damaged = item(self.process(image)[1])
        self.assertEqual((damaged["tier"], damaged.get("digests")), ("plausible", None), whole)
        self.assertTrue(damaged["doubt"])
        saved = run("carve", image, "--types", "wav", "--out", os.path.join(self.folder.name, "out"), check=(4,))
        self.assertIn(b"zeros stand for bytes that could not be read", saved.stderr)

    def test_a_case_over_damaged_evidence_can_be_sealed_and_verified(self):
        key, certificate, authority = make_keys(self.folder.name)
        self.process(os.path.join(CORPORA, "images", "con-p-badchunk.E01"))
        case = os.path.join(self.folder.name, "case")
        run("seal", case, "--key", key, "--cert", certificate, *INCOMPLETE, check=(0,))
        done = run("verify", case, "--trust", authority, "--evidence", "E1=" + os.path.join(CORPORA, "images", "con-p-badchunk.E01"))
        self.assertRegex(done.stdout.decode(), r"not checked: the findings claim none \(integrity: unreadable\)  media digests")
        script = subprocess.run([sys.executable, os.path.join(os.path.dirname(__file__), "..", "independent", "verify.py"), case,
                                 "--trust", authority], capture_output=True, text=True)
        self.assertEqual(script.returncode, 0, script.stdout)

    def test_a_section_whose_name_is_no_text_is_told_and_the_rest_adds_up(self):
        raw = os.path.join(self.folder.name, "raw")
        with open(raw, "wb") as file:
            file.write(b"evidence" * 262144)
        subprocess.run(["ewfacquire", "-u", "-q", "-t", os.path.join(self.folder.name, "named"), raw], check=True, capture_output=True)
        image = os.path.join(self.folder.name, "named.E01")
        with open(image, "r+b") as file:
            data = file.read()
            at = data.index(b"sectors\0")
            size = int.from_bytes(data[at + 24:at + 32], "little") + 1  # so that the section is spoken of
            descriptor = b"\xff\xff\xff\xff" + data[at + 4:at + 24] + size.to_bytes(8, "little") + data[at + 32:at + 72]
            file.seek(at)
            file.write(descriptor + zlib.adler32(descriptor).to_bytes(4, "little"))
        done, records = self.process(image)
        self.assertIn(done.returncode, (1, 3, 4))
        if records:
            self.assertNotIn("crash", {record["cause"] for record in records if record["record"] == "problem"})
            self.assertEqual(sum(records[-1]["bytes"].values()), records[0]["size"])

    def test_a_cut_container_is_never_taken_for_whole(self):
        done, records = self.process(os.path.join(CORPORA, "images", "con-p-cut.E01"))
        self.assertIn(done.returncode, (1, 3))
        if records:
            self.assertEqual(records[0]["integrity"], "unreadable")
            self.assertNotIn("digests", records[0])

    def test_a_missing_segment_is_named(self):
        for number in (1, 3, 4):
            self.copy(f"email_test.E0{number}")
        done, records = self.process(os.path.join(self.folder.name, "email_test.E01"))
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"segment 2", done.stderr)
        self.assertFalse(records)

    def test_a_broken_signature_is_never_raw(self):
        for at in range(8):
            image = self.copy("con-p-encase6.E01", lambda data: data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1:])
            done, records = self.process(image)
            self.assertEqual(done.returncode, 3, (at, done.stderr))
            self.assertFalse(records)

    def test_what_is_no_image_at_all(self):
        empty = os.path.join(self.folder.name, "empty.raw")
        open(empty, "wb").close()
        self.assertEqual(self.process(empty)[0].returncode, 3)
        self.assertEqual(self.process(os.path.join(self.folder.name, "not-there.raw"))[0].returncode, 3)
        self.assertEqual(self.process(self.folder.name)[0].returncode, 2)

    def test_ex01_is_refused_in_plain_words(self):
        done, _ = self.process(os.path.join(CORPORA, "images", "con-p-ex01.Ex01"))
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"Ex01", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
