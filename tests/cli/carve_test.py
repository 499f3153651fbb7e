"""carve and process find the same objects wherever they lie: over the borders of stretches and of unallocated runs, in
slack, at odd offsets; never where an allocated file is, unless asked; and what is saved has the digests that are told."""
import hashlib, os, random, struct, subprocess, tempfile, unittest, zlib
from support import findings, lines, run

MiB = 1 << 20


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def picture(seed, size):
    """A PNG of about `size` bytes, in several IDAT chunks, that no two seeds share."""
    noise = random.Random(seed)
    width, height = 256, max(1, size // 257)
    rows = b"".join(b"\0" + noise.randbytes(width) for _ in range(height))
    packed = zlib.compress(rows, 0)
    parts = b"".join(chunk(b"IDAT", packed[at:at + 8192]) for at in range(0, len(packed), 8192))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + parts + chunk(b"IEND", b"")


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def carved(data):
    return {record["id"]: record for record in lines(data) if record["record"] == "item" and record["state"] == "carved"}


class Shapeless(unittest.TestCase):
    """A medium without a file system: 70 MiB of noise, with pictures at chosen places."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.places = {12345: picture(1, 20_000), 32 * MiB - 3: picture(2, 40_000), 32 * MiB + 300_001: picture(3, 900),
                      50 * MiB: picture(4, 3 * MiB), 64 * MiB - 7000: picture(5, 100_000)}
        medium = bytearray(random.Random(0).randbytes(70 * MiB))
        for offset, data in cls.places.items():
            medium[offset:offset + len(data)] = data
        fragmented = picture(6, 60_000)
        medium[40 * MiB:40 * MiB + 20480] = fragmented[:20480]
        medium[40 * MiB + 57344:40 * MiB + 57344 + len(fragmented) - 20480] = fragmented[20480:]
        cls.fragmented = fragmented
        cls.image = os.path.join(cls.folder.name, "medium.raw")
        with open(cls.image, "wb") as file:
            file.write(medium)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_each_picture_is_found_once_at_its_place_with_its_digest(self):
        found = carved(run("carve", self.image, "--types", "png", check=(0,)).stdout)
        expected = {f"E1/p0/c{offset}-{len(data)}": sha256(data) for offset, data in self.places.items()}
        expected[f"E1/p0/c{40 * MiB}-{len(self.fragmented)}"] = sha256(self.fragmented)
        self.assertEqual({id: item["digests"]["sha256"] for id, item in found.items()}, expected)
        self.assertEqual({item["tier"] for item in found.values()}, {"validated"})
        joined = found[f"E1/p0/c{40 * MiB}-{len(self.fragmented)}"]
        self.assertEqual(joined["extents"], [[40 * MiB, 20480], [40 * MiB + 57344, len(self.fragmented) - 20480]])

    def test_the_findings_are_the_same_for_any_number_of_workers_and_after_a_shift(self):
        one = run("carve", self.image, "--jobs", "1", check=(0, 4)).stdout
        self.assertEqual(one, run("carve", self.image, "--jobs", "3", "--memory", "512M", check=(0, 4)).stdout)
        shifted = os.path.join(self.folder.name, "shifted.raw")
        with open(self.image, "rb") as file, open(shifted, "wb") as into:
            into.write(bytes(65) + file.read() + bytes(512 - 65))
        plain = [item for item in carved(one).values() if len(item["extents"]) == 1 and item["tier"] == "validated"]
        moved = carved(run("carve", shifted, check=(0, 4)).stdout).values()
        places = {(item["extents"][0][0] - 65, item["digests"]["sha256"], item["tier"]) for item in moved}
        self.assertTrue({(item["extents"][0][0], item["digests"]["sha256"], item["tier"]) for item in plain} <= places)

    def test_a_medium_full_of_one_pattern_costs_a_problem_and_nothing_else(self):
        full = os.path.join(self.folder.name, "full.raw")
        kept = picture(21, 5000)
        with open(full, "wb") as file:
            file.write((b"PK\x03\x04" + bytes(28)) * MiB + kept + bytes(512 - len(kept) % 512))
        case = os.path.join(self.folder.name, "full")
        run("process", full, "--case", case, check=(4,))
        records = lines(findings(case))
        problems = [(record["stage"], record["cause"], record["extent"]) for record in records if record["record"] == "problem"]
        self.assertEqual(problems, [("carve", "size-limit", [0, 32 * MiB])])
        with open(full, "rb") as file:
            self.assertEqual(records[0]["digests"]["sha256"], sha256(file.read()))
        self.assertIn(f"E1/p0/c{32 * MiB}-{len(kept)}", carved(findings(case)))

    def test_what_is_saved_is_what_was_found(self):
        out = os.path.join(self.folder.name, "out")
        found = carved(run("carve", self.image, "--types", "png", "--out", out, check=(0,)).stdout)
        saved = {}
        for name in os.listdir(out):
            with open(os.path.join(out, name), "rb") as file:
                saved[name] = sha256(file.read())
        self.assertEqual(saved, {id.replace("/", ".") + ".png": item["digests"]["sha256"] for id, item in found.items()})

    def test_a_carved_item_goes_through_the_pipe(self):
        piped = run("carve", self.image, "--types", "png", "--digests", "md5", check=(0,)).stdout
        hashed = carved(run("hash", "-", "--digests", "sha512", stdin=piped, check=(0,)).stdout)
        for item in hashed.values():
            content = b""
            with open(self.image, "rb") as file:
                for offset, length in item["extents"]:
                    file.seek(offset)
                    content += file.read(length)
            self.assertEqual(item["digests"]["sha512"], hashlib.sha512(content).hexdigest())


class InFileSystem(unittest.TestCase):
    """ext4 with a picture in free space, one in slack, and one that is an allocated file."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.image = os.path.join(cls.folder.name, "drive.raw")
        tree = os.path.join(cls.folder.name, "tree")
        os.mkdir(tree)
        cls.kept = picture(11, 30_000)
        with open(os.path.join(tree, "kept.png"), "wb") as file:
            file.write(cls.kept)
        with open(os.path.join(tree, "block"), "wb") as file:
            file.write(b"x" * 100)
        subprocess.run(["truncate", "-s", "24M", cls.image], check=True)
        subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-d", tree, cls.image], check=True)
        listed = [record for record in lines(run("list", cls.image, check=(0, 4)).stdout) if record["record"] == "item"]
        block = [item for item in listed if item["path"] == "/block"][0]["extents"][0][0]
        cls.in_slack = picture(12, 400)
        cls.free = picture(14, 70_000)
        with open(cls.image, "r+b") as file:
            file.seek(block + 512)
            file.write(cls.in_slack)
            file.seek(20 * MiB)
            file.write(cls.free)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_free_space_and_slack_are_carved_and_allocated_files_are_not(self):
        case = os.path.join(self.folder.name, "case")
        run("process", self.image, "--case", case, check=(0, 4))
        processed = carved(findings(case))
        digests = {item["digests"]["sha256"]: item for item in processed.values()}
        self.assertIn(sha256(self.free), digests)
        self.assertIn(sha256(self.in_slack), digests)
        self.assertNotIn(sha256(self.kept), digests)
        alone = carved(run("carve", self.image, check=(0, 4)).stdout)
        self.assertEqual(alone, processed)

    def test_where_says_where(self):
        def found(where):
            return {item["digests"]["sha256"]
                    for item in carved(run("carve", self.image, "--types", "png", "--where", where, check=(0, 4)).stdout).values()}
        self.assertEqual(found("slack"), {sha256(self.in_slack)})
        self.assertEqual(found("unallocated"), {sha256(self.free)})
        self.assertEqual(found("all"), {sha256(self.in_slack), sha256(self.free), sha256(self.kept)})

    def test_coverage_tells_how_much_was_searched(self):
        case = os.path.join(self.folder.name, "case2")
        run("process", self.image, "--case", case, check=(0, 4))
        coverage = [r for r in lines(findings(case)) if r["record"] == "coverage" and r["where"] == "E1"][0]
        of = coverage["bytes"]
        self.assertEqual(coverage["examined"]["carved"], of["unallocated"] + of["deleted"] + of["slack"] + of["gap"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
