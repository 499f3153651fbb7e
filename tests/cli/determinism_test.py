"""The same evidence and the same inputs give the same bytes, whoever runs it, where, and how."""
import os, subprocess, tempfile, unittest
from support import CORPORA, findings, lines, run, unpack

RULE = 'rule letters { strings: $a = "the" nocase $b = { 50 4B 03 04 } $c = "EFI PART" condition: any of them }\n'


class Determinism(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.rules = self.path("rules.yar")
        with open(self.rules, "w", encoding="ascii") as file:
            file.write(RULE)
        self.sets = os.path.join(CORPORA, "hashsets", "known.sha256")

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def process(self, image, case, *more, **options):
        run("process", image, "--case", self.path(case), "--rules", self.rules, "--hashset", self.sets, *more, check=(0, 4), **options)
        return findings(self.path(case))

    def test_workers_memory_folder_locale_zone_and_umask_change_nothing(self):
        for packed in ("images/con-p-ntfs.raw.xz", "images/con-p-gptfat.raw.xz"):
            image = unpack(packed, self.folder.name, "drive.raw")
            name = os.path.basename(packed)
            first = self.process(image, name + "1", "--jobs", "1", "--memory", "256M")
            self.assertGreater(len(lines(first)), 20)
            self.assertEqual(self.process(image, name + "2", "--jobs", "2", "--memory", "8G"), first)
            self.assertEqual(self.process(image, name + "8", "--jobs", "8", "--memory", "600M"), first)
            self.assertEqual(self.process(image, name + "9", "--jobs", "8", "--memory", "256M"), first)
            os.makedirs(self.path("elsewhere/deep"), exist_ok=True)
            os.link(image, self.path("elsewhere/deep/drive.raw"))
            moved = self.process("drive.raw", name + "3", cwd=self.path("elsewhere/deep"), umask=0o077,
                                 env={"LC_ALL": "tr_TR.UTF-8", "TZ": "Pacific/Chatham", "LANG": "ru_RU.KOI8-R"})
            self.assertEqual(moved, first)
            os.unlink(self.path("elsewhere/deep/drive.raw"))

    def test_raw_and_e01_of_a_medium_differ_in_the_evidence_record_only(self):
        image = unpack("images/con-p-gptfat.raw.xz", self.folder.name, "drive.raw")
        subprocess.run(["ewfacquire", "-u", "-q", "-t", self.path("drive"), "-f", "encase6", "-c", "best", "-S", "1M", image],
                       check=True, capture_output=True)
        raw, ewf = self.process(image, "raw"), self.process(self.path("drive.E01"), "ewf")
        self.assertEqual(raw.split(b"\n", 1)[1], ewf.split(b"\n", 1)[1])
        raw_record, ewf_record = lines(raw)[0], lines(ewf)[0]
        for key in ("digests", "block_root", "size"):
            self.assertEqual(raw_record[key], ewf_record[key])
        self.assertEqual((raw_record["integrity"], ewf_record["integrity"]), ("no-stored-digest", "match"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
