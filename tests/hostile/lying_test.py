"""A worker that was taken over may lose the records of its evidence; the coordinator ends in order whatever it says.

lying_worker changes lines of the real worker by a seed, and mends count and digest. Usage: lying_test.py BIN [FIRST COUNT]
"""
import json, os, subprocess, sys, tempfile, unittest, zipfile

BIN = os.path.abspath(sys.argv.pop(1) if len(sys.argv) > 1 else "build/bin")
FIRST, COUNT = (int(sys.argv.pop(1)), int(sys.argv.pop(1))) if len(sys.argv) > 2 else (1, 20)
RULE = 'rule a_file { strings: $a = "file" condition: $a }\n'


class LyingWorkers(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.image = os.path.join(self.folder.name, "drive.raw")
        subprocess.run(["truncate", "-s", "1M", self.image], check=True)
        subprocess.run(["mkfs.fat", "-F", "12", "-g", "2/9", self.image], check=True, capture_output=True)
        for number in range(6):
            path = os.path.join(self.folder.name, f"file{number}.txt")
            with open(path, "w", encoding="ascii") as out:
                out.write(f"file {number}\n" * 100)
            subprocess.run(["mcopy", "-i", self.image, path, "::"], check=True)
        archive = os.path.join(self.folder.name, "archive.zip")
        with zipfile.ZipFile(archive, "w") as out:
            for number in range(3):
                out.writestr(f"member{number}.txt", f"member {number}\n")
        subprocess.run(["mcopy", "-i", self.image, archive, "::"], check=True)
        self.rules = os.path.join(self.folder.name, "any.yar")
        with open(self.rules, "w", encoding="ascii") as out:
            out.write(RULE)

    def test_who_looks_into_an_archive_may_speak_of_its_members_only(self):
        worker = os.path.join(self.folder.name, "lying-worker-members")
        os.symlink(os.path.join(BIN, "lying_worker"), worker)
        cases = {}
        for name, words in (("honest", []), ("lying", ["--worker-program", worker])):
            case = os.path.join(self.folder.name, name)
            done = subprocess.run([os.path.join(BIN, "exhibit"), "process", self.image, "--case", case, "--jobs", "1", "--carve", "off", *words],
                                  capture_output=True, text=True, timeout=120)
            self.assertIn(done.returncode, (0, 4), done.stderr)
            with open(os.path.join(case, "findings", "E1.jsonl"), encoding="utf-8") as lines:
                cases[name] = [json.loads(line) for line in lines]
        told = {name: {record["id"]: record for record in records if record["record"] == "item"} for name, records in cases.items()}
        members = {id for id, item in told["honest"].items() if item["state"] == "member"}
        self.assertEqual(len(members), 3)
        self.assertEqual(told["lying"], {id: item for id, item in told["honest"].items() if id not in members})
        self.assertIn("a record of something that it wasn't given", " ".join(record.get("detail", "") for record in cases["lying"]))

    def test_the_coordinator_ends_in_order(self):
        ended = {}
        for seed in range(FIRST, FIRST + COUNT):
            with self.subTest(seed=seed):
                worker = os.path.join(self.folder.name, f"lying-worker-{seed}")
                os.symlink(os.path.join(BIN, "lying_worker"), worker)
                case = os.path.join(self.folder.name, f"case-{seed}")
                done = subprocess.run([os.path.join(BIN, "exhibit"), "process", self.image, "--case", case, "--jobs", "2", "--memory", "512M",
                                       "--rules", self.rules, "--worker-program", worker, "--object-seconds", "1"],
                                      capture_output=True, text=True, timeout=120)
                self.assertIn(done.returncode, (0, 1, 3, 4), done.stderr)
                ended[done.returncode] = ended.get(done.returncode, 0) + 1
                if done.returncode != 3:
                    with open(os.path.join(case, "findings", "E1.jsonl"), encoding="utf-8") as lines:
                        self.assertEqual(json.loads(lines.readline())["record"], "evidence")
        self.assertGreater(COUNT - ended.get(0, 0), COUNT // 2, "most of the lies must have been noticed")


if __name__ == "__main__":
    unittest.main(verbosity=2)
