"""What pictures and documents are like: PDQ of every format from the sealed worker, against hashes that ThreatExchange
published; matches that say how far and never that it is the same; bombs, damage and a decoder's death told and survived.
The pictures are ThreatExchange's own (a bridge; rooms of the labelme set)."""
import json, os, shutil, struct, subprocess, tempfile, unittest, zipfile, zlib
from support import BIN, CORPORA, INCOMPLETE, findings, lines, make_keys, run

# Of bridge-1-original.jpg, in the two ways of scaling (interop.md).
BRIDGE_512 = "d8f8f0cee0f4a84f0637022a078f67f0b36e2ed596621e1d33e6339c4e9c9b22"
BRIDGE = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"
SAME = ("png", "bmp", "bmp-rows-down.bmp", "tif", "webp")  # of the same points: the same hash


def distance(a, b):
    return bin(int(a, 16) ^ int(b, 16)).count("1")


def call(*words, stdin=None):
    return subprocess.run(words, check=True, capture_output=True, input=stdin).stdout


def png(width, height, rows):
    """Of rows of red, green, blue; None: a header that promises them and no more than a few bytes."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    packed = zlib.compress(b"".join(b"\0" + row for row in rows) if rows else bytes(1000))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) + chunk(b"IDAT", packed) +
            chunk(b"IEND", b""))


def bmp(width, height, rows, bottom_up=True):
    lines_of = [b"".join(row[i + 2:i + 3] + row[i + 1:i + 2] + row[i:i + 1] for i in range(0, len(row), 3)) + bytes(-3 * width % 4) for row in rows]
    body = b"".join(reversed(lines_of) if bottom_up else lines_of)
    head = struct.pack("<IiiHHIIiiII", 40, width, height if bottom_up else -height, 1, 24, 0, len(body), 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(body), 0, 0, 54) + head + body


def tiff(width, height, rows):
    body = b"".join(rows)
    tags = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 3, 8 + len(body)), (259, 3, 1, 1), (262, 3, 1, 2), (273, 4, 1, 8), (277, 3, 1, 3),
            (278, 4, 1, height), (279, 4, 1, len(body))]
    bits = struct.pack("<HHH", 8, 8, 8)
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4)
    return b"II*\0" + struct.pack("<I", 8 + len(body) + len(bits)) + body + bits + directory


class Perceptual(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        tree = os.path.join(cls.folder, "tree")
        os.mkdir(tree)
        def put(name, data):
            with open(os.path.join(tree, name), "wb") as file:
                file.write(data)
        corpus = os.path.join(CORPORA, "pdq")
        bridge = os.path.join(corpus, "bridge-1-original.jpg")
        magic, size, most, points = call("djpeg", "-ppm", bridge).split(b"\n", 3)
        assert (magic, most) == (b"P6", b"255")
        width, height = (int(word) for word in size.split())
        rows = [points[3 * width * y:3 * width * (y + 1)] for y in range(height)]
        put("same.png", png(width, height, rows))
        put("same.bmp", bmp(width, height, rows))
        put("same.bmp-rows-down.bmp", bmp(width, height, rows, bottom_up=False))
        put("same.tif", tiff(width, height, rows))
        call("cwebp", "-quiet", "-lossless", os.path.join(tree, "same.png"), "-o", os.path.join(tree, "same.webp"))
        call("heif-enc", "-q", "90", "-o", os.path.join(tree, "near.heic"), os.path.join(tree, "same.png"))
        put("near.gif", call("djpeg", "-gif", bridge))
        shutil.copy(bridge, os.path.join(tree, "bridge.jpg"))
        shutil.copy(os.path.join(corpus, "bridge-2-rotate-90.jpg"), os.path.join(tree, "turned.jpg"))
        shutil.copy(os.path.join(corpus, "q0746.jpg"), os.path.join(tree, "other.jpg"))
        with open(bridge, "rb") as file:
            put("cut.jpg", file.read(200_000))
        put("bomb.png", png(1 << 23, 1 << 23, None))
        put("bomb.jpg.png", png(60000, 60000, None))
        put("flat.png", png(300, 300, [bytes(900)] * 300))
        put("text.txt", b"".join(b"line %d of a text that goes on for a while\n" % i for i in range(400)))
        with zipfile.ZipFile(os.path.join(tree, "packed.zip"), "w") as archive:
            archive.write(os.path.join(corpus, "bridge-5-flipx.jpg"), "mirrored.jpg")
        cls.image = os.path.join(cls.folder, "drive.raw")
        with open(cls.image, "wb") as file:
            file.truncate(64 << 20)
        call("mke2fs", "-q", "-F", "-t", "ext4", "-d", tree, cls.image)
        with open(os.path.join(corpus, "bridge-3-rotate-180.jpg"), "rb") as file, open(cls.image, "r+b") as image:
            image.seek(60 << 20)  # where no file lies: to be carved
            image.write(file.read())
        cls.list = os.path.join(cls.folder, "list.csv")
        with open(cls.list, "w", encoding="ascii") as file:
            file.write(f"hash,quality,filename\n{BRIDGE},100,the bridge\n")
        cls.tree = tree
        cls.case = os.path.join(cls.folder, "case")
        cls.done = run("process", cls.image, "--case", cls.case, "--hashset", cls.list, "--perceptual", "pictures,documents", "--jobs", "1", check=(4,))
        cls.records = lines(findings(cls.case))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def item(self, name, records=None):
        return next(r for r in records or self.records if r["record"] == "item" and r["path"] == "/" + name and r["state"] != "deleted")

    def matches(self, name, records=None):
        return [r for r in records or self.records if r["record"] == "match" and r["item"].endswith(":/" + name)]

    def problems(self, name):
        return [(r["stage"], r["cause"]) for r in self.records if r["record"] == "problem" and r["where"].endswith(":/" + name)]

    def test_the_published_hash_and_how_it_was_made(self):
        item = self.item("bridge.jpg")
        self.assertEqual(item["digests"]["pdq"], BRIDGE_512)
        facts = item["pdq"]
        self.assertEqual((facts["scaling"], facts["quality"], facts["whole"]), ("nearest-512", 100, True))
        self.assertTrue(facts["decoder"].startswith("libjpeg-turbo "))
        self.assertEqual(len(facts["turned"]), 7)
        self.assertIn("md5", item["digests"])

    def test_formats_without_loss_give_the_same_hash(self):
        for ending in SAME:
            with self.subTest(ending):
                self.assertEqual(self.item("same." + ending)["digests"]["pdq"], BRIDGE_512)

    def test_formats_with_loss_give_a_near_one(self):
        for name in ("near.heic", "near.gif"):
            with self.subTest(name):
                self.assertLessEqual(distance(self.item(name)["digests"]["pdq"], BRIDGE_512), 10)

    def test_a_match_says_how_far_and_that_it_is_by_likeness(self):
        (match,) = self.matches("bridge.jpg")
        self.assertEqual((match["by"], match["rule"], match["algorithm"]), ("perceptual", "the bridge", "pdq"))
        self.assertEqual(match["distance"], distance(BRIDGE, BRIDGE_512))
        self.assertEqual((match["quality"], match["variant"]), (100, "original"))
        self.assertIn(b"by likeness alone, which is no identity", self.done.stderr)

    def test_a_picture_that_only_carving_finds_is_hashed_and_found(self):
        (item,) = [r for r in self.records if r.get("state") == "carved" and r["extents"][0][0] == 60 << 20]
        self.assertIn("sha256", item["digests"])
        self.assertEqual(len(item["digests"]["pdq"]), 64)
        (match,) = [r for r in self.records if r["record"] == "match" and r["item"] == item["id"]]
        self.assertEqual((match["by"], match["variant"]), ("perceptual", "rotate-180"))

    def test_turned_and_mirrored_copies_are_found_in_archives_too(self):
        (turned,) = self.matches("turned.jpg")
        self.assertEqual(turned["variant"], "rotate-270")
        (mirrored,) = self.matches("packed.zip!/mirrored.jpg")
        self.assertEqual(mirrored["variant"], "flip-x")

    def test_other_pictures_and_such_of_no_quality_match_nothing(self):
        for name in ("other.jpg", "flat.png", "text.txt"):
            self.assertEqual(self.matches(name), [])
        self.assertEqual(self.item("flat.png")["pdq"]["quality"], 0)

    def test_bombs_are_refused_by_their_headers(self):
        for name in ("bomb.png", "bomb.jpg.png"):
            self.assertEqual(self.problems(name), [("decode", "size-limit")])
            self.assertNotIn("pdq", self.item(name)["digests"])
            self.assertIn("sha256", self.item(name)["digests"])

    def test_what_is_cut_off_is_hashed_as_far_as_it_goes_and_told(self):
        self.assertEqual(self.problems("cut.jpg"), [("decode", "corrupt")])
        self.assertFalse(self.item("cut.jpg")["pdq"]["whole"])

    def test_documents_have_the_digests_of_ssdeep_and_tlsh(self):
        path = os.path.join(self.tree, "text.txt")
        digests = self.item("text.txt")["digests"]
        self.assertEqual(digests["ssdeep"], call("ssdeep", "-s", path).decode().splitlines()[1].split(",")[0])
        self.assertEqual(digests["tlsh"].upper(), call("tlsh", "-f", path).decode().split()[0])

    def test_the_same_at_any_number_of_workers_and_by_a_pipe(self):
        case = os.path.join(self.folder, "other")
        run("process", self.image, "--case", case, "--hashset", self.list, "--perceptual", "documents,pictures", "--jobs", "3", check=(4,))
        self.assertEqual(findings(case), findings(self.case))
        listed = run("list", self.image, "--json", check=(0,)).stdout
        hashed = run("hash", "-", "--json", stdin=listed, cwd=self.folder, check=(0,)).stdout
        matched = lines(run("match", "-", "--hashset", self.list, "--json", stdin=hashed, cwd=self.folder, check=(4,)).stdout)
        self.assertEqual(self.matches("bridge.jpg", matched), self.matches("bridge.jpg"))
        self.assertEqual(self.item("bridge.jpg", matched)["digests"]["pdq"], BRIDGE_512)

    def test_the_option_and_the_thresholds_are_among_the_inputs_and_off_is_off(self):
        case = os.path.join(self.folder, "off")
        run("process", self.image, "--case", case, "--hashset", self.list, "--perceptual", "off", check=(0, 4))
        records = lines(findings(case))
        self.assertFalse(any("pdq" in r or r.get("by") == "perceptual" for r in records))
        self.assertNotIn("pdq", self.item("bridge.jpg", records)["digests"])

    def test_items_with_such_digests_are_still_verified_by_their_others(self):
        key, certificate, authority = make_keys(self.folder)
        case = os.path.join(self.folder, "sealed")
        shutil.copytree(self.case, case)
        run("seal", case, "--key", key, "--cert", certificate, *INCOMPLETE, check=(0,))
        done = run("verify", case, "--trust", authority, "--evidence", "E1=" + self.image, check=(0,)).stdout.decode()
        self.assertIn("verdict: verified", done)
        self.assertRegex(done, "not checked.*digests of likeness .pdq")

    def test_a_decoder_that_dies_costs_the_likeness_alone(self):
        worker = os.path.join(self.folder, "crash-on-likeness")
        os.symlink(os.path.join(BIN, "hostile_worker"), worker)
        case = os.path.join(self.folder, "crash")
        run("process", self.image, "--case", case, "--hashset", self.list, "--worker-program", worker, check=(4,))
        records = lines(findings(case))
        digests = self.item("bridge.jpg", records)["digests"]
        self.assertEqual({name: digest for name, digest in self.item("bridge.jpg")["digests"].items() if name != "pdq"}, digests)
        told = {r["where"] for r in records if r["record"] == "problem" and (r["stage"], r["cause"]) == ("decode", "crash")}
        self.assertIn(self.item("bridge.jpg")["id"], told)
        self.assertIn(self.item("packed.zip")["id"] + "!/mirrored.jpg", told)
        self.assertFalse(any(r["record"] == "problem" and r["cause"] == "crash" and r["stage"] != "decode" for r in records))


if __name__ == "__main__":
    unittest.main()
