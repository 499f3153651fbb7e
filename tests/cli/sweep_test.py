"""The sweep: whatever lies over the borders of stretches, in pieces, in holes or twice has the digests that the files
had, and the medium those that coreutils give; `hash --media` agrees, and says no where a byte was changed."""
import hashlib, os, resource, struct, subprocess, tempfile, unittest
from support import findings, lines, run

MiB = 1 << 20
DIGESTS = ("md5", "sha1", "sha256", "sha512", "sha3-256")


def content(seed, size):
    """Bytes that no two seeds share."""
    block = b"".join(hashlib.sha256(b"%d %d" % (seed, i)).digest() for i in range(4096))
    return (block * (size // len(block) + 1))[:size]


def digest_of(path, algorithm):
    if algorithm == "sha3-256":
        words = ["openssl", "dgst", "-sha3-256", "-r", path]
    else:
        words = [algorithm + "sum", path]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()[0]


class Sweep(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        tree = os.path.join(cls.folder.name, "tree")
        os.mkdir(tree)
        cls.files = {"/empty": b"", "/small": b"x" * 700, "/large": content(1, 41 * MiB + 13), "/twin": content(2, 5000)}
        for i in range(60):
            cls.files[f"/part{i:02}"] = content(10 + i, 700_000 + 4099 * i)
        for name, data in cls.files.items():
            with open(tree + name, "wb") as file:
                file.write(data)
        os.link(tree + "/twin", tree + "/linked")
        cls.files["/linked"] = cls.files["/twin"]
        cls.files["/holes"] = b"begin" + bytes(3 * MiB - 5) + b"end"
        with open(tree + "/holes", "wb") as file:
            file.write(b"begin")
            file.seek(3 * MiB)
            file.write(b"end")
        cls.image = os.path.join(cls.folder.name, "drive.raw")
        subprocess.run(["truncate", "-s", "131M", cls.image], check=True)
        subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-d", tree, cls.image], check=True)
        subprocess.run(["ewfacquire", "-u", "-q", "-c", "fast", "-t", os.path.join(cls.folder.name, "drive"), cls.image],
                       check=True, capture_output=True)
        cls.e01 = os.path.join(cls.folder.name, "drive.E01")
        cls.case = os.path.join(cls.folder.name, "case")
        run("process", cls.e01, "--case", cls.case, "--digests", ",".join(DIGESTS), check=(0,))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def records(self, kind, data=None):
        return [record for record in lines(data or findings(self.case)) if record["record"] == kind]

    def test_every_file_has_the_digests_of_what_was_put_in(self):
        items = {item["path"]: item for item in self.records("item") if item["kind"] == "file" and item["state"] == "allocated"}
        for name, data in self.files.items():
            expected = {algorithm: hashlib.new(algorithm.replace("-", "_"), data).hexdigest() for algorithm in DIGESTS}
            self.assertEqual(items[name]["digests"], expected, name)

    def test_the_medium_has_the_digests_that_other_tools_give(self):
        evidence = self.records("evidence")[0]
        self.assertEqual(evidence["digests"], {algorithm: digest_of(self.image, algorithm) for algorithm in DIGESTS})
        self.assertEqual(evidence["integrity"], "match")

    def test_the_medium_alone_has_the_same(self):
        for image, integrity in ((self.e01, "match"), (self.image, "no-stored-digest")):
            done = run("hash", image, "--media", "--digests", ",".join(DIGESTS), check=(0,))
            evidence = self.records("evidence", done.stdout)[0]
            self.assertEqual(evidence["digests"], self.records("evidence")[0]["digests"])
            self.assertEqual(evidence["integrity"], integrity)

    def test_a_changed_medium_is_told_from_what_was_stored(self):
        with open(self.e01, "rb") as file:
            data = bytearray(file.read())
        stored = data.find(content(10, 64))  # random bytes are stored as they are
        self.assertGreater(stored, 0)
        changed = os.path.join(self.folder.name, "changed.E01")
        data[stored] ^= 1
        with open(changed, "wb") as file:
            file.write(data)
        done = run("hash", changed, "--media")
        self.assertEqual(done.returncode, 1, done.stderr)
        evidence, problem = self.records("evidence", done.stdout)[0], self.records("problem", done.stdout)[0]
        self.assertEqual(evidence["integrity"], "unreadable")
        self.assertNotIn("digests", evidence)
        self.assertEqual(problem["cause"], "corrupt")

    def test_workers_and_memory_change_nothing(self):
        for words in (("--jobs", "1"), ("--jobs", "5", "--memory", "8G")):
            case = os.path.join(self.folder.name, "again" + words[1])
            run("process", self.e01, "--case", case, "--digests", ",".join(DIGESTS), *words, check=(0,))
            self.assertEqual(findings(case), findings(self.case))


class ManyVolumes(unittest.TestCase):
    def test_more_volumes_than_files_may_be_open_are_all_told(self):
        with tempfile.TemporaryDirectory() as folder:
            count, step = 250, 64  # logical partitions (a chain of extended boot records); sectors between two
            medium = bytearray((count + 2) * step * 512)

            def table(sector, *entries):
                for i, (kind, start, length) in enumerate(entries):
                    struct.pack_into("<4xB3xII", medium, sector * 512 + 446 + 16 * i, kind, start, length)
                medium[sector * 512 + 510:sector * 512 + 512] = b"\x55\xaa"

            table(0, (5, step, count * step))
            for i in range(count):
                following = [(5, (i + 1) * step, step)] if i + 1 < count else []
                table((i + 1) * step, (0x83, 8, step - 8), *following)
            image, case = os.path.join(folder, "many.raw"), os.path.join(folder, "case")
            with open(image, "wb") as file:
                file.write(medium)
            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
            self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
            run("process", image, "--case", case, check=(0,))
            records = lines(findings(case))
            partitions = [record for record in records if record["record"] == "volume" and record["kind"] == "partition"]
            self.assertEqual([record["offset"] for record in partitions], [((i + 1) * step + 8) * 512 for i in range(count)])
            self.assertEqual(sum(records[-1]["bytes"].values()), len(medium))


if __name__ == "__main__":
    unittest.main(verbosity=2)
