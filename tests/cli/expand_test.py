"""What lies in archives: members have the digests that other tools give them, whatever format they are packed in; what
is encrypted, damaged or a bomb ends as a problem in bounded time, and no digest is claimed of it."""
import gzip, hashlib, io, json, lzma, os, random, shutil, signal, struct, subprocess, sys, tarfile, tempfile, time, unittest, zipfile, zlib
from support import EXHIBIT, INCOMPLETE, findings, lines, make_keys, run

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench"))
from measure import measured

MiB = 1 << 20


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def read(path):
    with open(path, "rb") as file:
        return file.read()


def call(*words, cwd=None):
    return subprocess.run(words, check=True, capture_output=True, cwd=cwd).stdout


def image_of(tree, image):
    """An ext4 that holds the files of `tree`."""
    size = sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(tree) for name in names)
    with open(image, "wb") as file:
        file.truncate(size * 5 // 4 + 16 * MiB)
    call("mke2fs", "-q", "-F", "-t", "ext4", "-d", tree, image)
    return image


def rar4(name, data, *, flags=0, crc=None):
    """A RAR archive of the old format with one stored file (unrar's technote.txt of RAR 3)."""
    def block(kind, block_flags, fields):
        head = struct.pack("<BHH", kind, block_flags, 7 + len(fields)) + fields
        return struct.pack("<H", zlib.crc32(head) & 0xffff) + head
    crc = zlib.crc32(data) if crc is None else crc
    fields = struct.pack("<IIBIIBBHI", len(data), len(data), 3, crc, 0x5a21_6000, 20, 0x30, len(name), 0o100644) + name
    return b"Rar!\x1a\x07\0" + block(0x73, 0, bytes(6)) + block(0x74, 0x8000 | flags, fields) + data + block(0x7b, 0x4000, b"")


def rar5(name, data, *, crc=None, encrypted=False):
    """The same of RAR 5 (https://www.rarlab.com/technote.htm)."""
    def vint(value):
        out = b""
        while value > 127:
            out += bytes([value & 127 | 128])
            value >>= 7
        return out + bytes([value])
    def block(*fields):
        body = b"".join(fields)
        sized = vint(len(body)) + body
        return struct.pack("<I", zlib.crc32(sized)) + sized
    crc = zlib.crc32(data) if crc is None else crc
    record = vint(1) + vint(0) + vint(0) + b"\x0f" + bytes(32)
    extra = vint(len(record)) + record if encrypted else b""
    head = [vint(2), vint(3 if encrypted else 2)] + ([vint(len(extra))] if encrypted else [])
    file = block(*head, vint(len(data)), vint(4), vint(len(data)), vint(0o100644), struct.pack("<I", crc), vint(0), vint(1),
                 vint(len(name)), name, extra)
    return b"Rar!\x1a\x07\1\0" + block(vint(1), vint(0), vint(0)) + file + data + block(vint(5), vint(0), vint(0))


def quine():
    """A gzip file that unpacks to itself, after Russ Cox, "Zip Files All The Way Down" (2010): literal and repeating
    blocks of five bytes each, and a CRC-32 that is solved for where it stands within itself."""
    def literal(length):
        return b"\0" + struct.pack("<HH", length, length ^ 0xffff)

    def repeat(length):
        bits = []
        def put(value, count, highest_first=False):
            order = range(count - 1, -1, -1) if highest_first else range(count)
            bits.extend(value >> bit & 1 for bit in order)
        put(0, 1), put(1, 2)
        for part in (length // 2, length - length // 2):
            put(part - 2, 7, True), put(8, 5, True), put(length - 17, 3)
        put(0, 7)
        return bytes(sum(bits[at + bit] << bit for bit in range(8)) for at in range(0, 40, 8))

    head = b"\x1f\x8b\x08\x08" + bytes(4) + b"\0\xff" + b"r.gz\0"

    def make(crc, size):
        tail = b"\1" + struct.pack("<HH", 0, 0xffff) + struct.pack("<II", crc, size)
        hl, hr, tl, tr = literal(len(head) + 5), repeat(len(head) + 5), literal(len(tail) + 5), repeat(len(tail) + 5)
        l0, l1, l4, r4 = literal(0), literal(5), literal(20), repeat(20)
        return b"".join((head, hl, head, hl, hr, l1, hr, l1, l1, l4, hr, l1, l1, l4, r4, l4, r4, l4, r4, l4, r4, l4, r4,
                         l0, l0, tl, r4, l0, l0, tl, tr, tail, tr, tail))

    size = len(make(0, 0))
    base = zlib.crc32(make(0, size))
    columns = [zlib.crc32(make(1 << bit, size)) ^ base ^ (1 << bit) for bit in range(32)]
    rows = [sum((columns[bit] >> row & 1) << bit for bit in range(32)) | (base >> row & 1) << 32 for row in range(32)]
    solved = []
    for bit in range(32):
        pivot = next((row for row in range(len(solved), 32) if rows[row] >> bit & 1), None)
        if pivot is None:
            continue
        at = len(solved)
        rows[at], rows[pivot] = rows[pivot], rows[at]
        rows = [row ^ rows[at] if number != at and row >> bit & 1 else row for number, row in enumerate(rows)]
        solved.append(bit)
    return make(sum((rows[at] >> 32 & 1) << bit for at, bit in enumerate(solved)), size)


class Findings:
    """What `exhibit expand` or a case folder tells, by path below the image's root."""

    def __init__(self, data):
        self.records = lines(data)
        self.items = {record["path"][1:]: record for record in self.records if record["record"] == "item"}
        self.members = {path: item for path, item in self.items.items() if item["state"] == "member"}
        self.problems = [record for record in self.records if record["record"] == "problem"]

    def digests(self, container):
        """Of the files in it, by name."""
        return {path[len(container) + 2:]: item["digests"]["sha256"] for path, item in self.members.items()
                if path.startswith(container + "!/") and "digests" in item}

    def causes(self, path):
        where = self.items[path]["id"] if path in self.items else None
        return {problem["cause"] for problem in self.problems if problem["where"] == where and problem["stage"] == "expand"}


class Folder(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        os.mkdir(cls.path("tree"))
        cls.fill()
        cls.image = image_of(cls.path("tree"), cls.path("drive.raw"))

    @classmethod
    def path(cls, *names):
        return os.path.join(cls.folder.name, *names)

    @classmethod
    def put(cls, name, data):
        with open(cls.path("tree", name), "wb") as file:
            file.write(data)


class Formats(Folder):
    """Real files, packed by real tools."""
    archives = ("a.zip", "stored.zip", "a.7z", "lzma2.7z", "ppmd.7z", "bzip2.7z", "a.tar", "pax.tar", "a.cpio", "a.iso", "joliet.iso", "a.cab", "a.xar")
    streams = {"gz": ("gzip", "-n"), "bz2": ("bzip2",), "xz": ("xz",), "lzma": ("lzma",), "zst": ("zstd", "-q"), "lz4": ("lz4", "-q")}

    @classmethod
    def fill(cls):
        source = cls.path("source")
        os.makedirs(os.path.join(source, "below", "d\u00e9p\u00f4t"))
        noise = random.Random(1)
        cls.files = {"text.txt": read("/usr/share/common-licenses/GPL-3"), "services": read("/etc/services"),
                     "program": read("/bin/true"), "below/empty": b"", "below/noise.bin": noise.randbytes(300_000),
                     "below/zeros": bytes(500_000), "below/d\u00e9p\u00f4t/na\u00efve.txt": b"a name beyond ASCII\n" * 40,
                     "large": noise.randbytes(64) * (20 * MiB // 64)}
        for name, data in cls.files.items():
            with open(os.path.join(source, name), "wb") as file:
                file.write(data)
        with zipfile.ZipFile(cls.path("tree", "a.zip"), "w", zipfile.ZIP_DEFLATED) as deflated, \
             zipfile.ZipFile(cls.path("tree", "stored.zip"), "w", zipfile.ZIP_STORED) as stored:
            for name in cls.files:
                deflated.write(os.path.join(source, name), name)
                stored.write(os.path.join(source, name), name)
        for name, options in (("a.7z", ()), ("lzma2.7z", ("-m0=LZMA2", "-ms=off")), ("ppmd.7z", ("-m0=PPMd",)), ("bzip2.7z", ("-m0=BZip2",))):
            call("7z", "a", "-bd", *options, cls.path("tree", name), ".", cwd=source)
        names = sorted(cls.files)
        for name, form in (("a.tar", "ustar"), ("pax.tar", "pax"), ("a.cpio", "newc"), ("a.xar", "xar")):
            call("bsdtar", "--format=" + form, "-cf", cls.path("tree", name), *names, cwd=source)
        call("mkisofs", "-quiet", "-R", "-o", cls.path("tree", "a.iso"), source)
        call("mkisofs", "-quiet", "-J", "-joliet-long", "-o", cls.path("tree", "joliet.iso"), source)
        call("gcab", "-c", "-z", cls.path("tree", "a.cab"), *names, cwd=source)
        for ending, words in cls.streams.items():
            for name in ("text.txt", "large"):
                with open(cls.path("tree", f"{name}.{ending}"), "wb") as file:
                    subprocess.run([*words, "-c", os.path.join(source, name)], check=True, stdout=file)
            with open(cls.path("tree", "a.tar"), "rb") as tar, open(cls.path("tree", "packed.tar." + ending), "wb") as file:
                subprocess.run([*words, "-c"], check=True, stdin=tar, stdout=file)
        cls.put("old.rar", rar4(b"text.txt", cls.files["text.txt"]))
        cls.put("new.rar", rar5(b"text.txt", cls.files["text.txt"]))
        with zipfile.ZipFile(cls.path("tree", "nested.zip"), "w") as outer:
            for name in ("a.7z", "packed.tar.gz", "old.rar"):
                outer.write(cls.path("tree", name), name)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.found = Findings(run("expand", cls.image, "--json", check=(0,)).stdout)
        cls.expected = {name: sha256(data) for name, data in cls.files.items()}

    def test_members_have_the_digests_of_what_was_packed(self):
        for archive in self.archives:
            found = {name.removeprefix("./"): digest for name, digest in self.found.digests(archive).items()}
            self.assertEqual(found, self.expected, archive)

    def test_and_those_that_other_tools_unpack(self):
        for archive in self.archives:
            for words in (("bsdtar", "-xf", self.path("tree", archive)), ("7z", "x", "-bd", "-y", self.path("tree", archive)),
                          ("unzip", "-q", self.path("tree", archive))):
                if (words[0] == "unzip") != archive.endswith(".zip") or (words[0] == "bsdtar") == archive.endswith(".zip"):
                    continue
                with tempfile.TemporaryDirectory() as out:
                    call(*words, cwd=out)
                    unpacked = {os.path.relpath(os.path.join(folder, name), out): sha256(read(os.path.join(folder, name)))
                                for folder, _, names in os.walk(out) for name in names}
                found = {name.removeprefix("./"): digest for name, digest in self.found.digests(archive).items()}
                self.assertEqual(found, unpacked, f"{archive} by {words[0]}")

    def test_a_packed_file_is_one_member(self):
        for ending in self.streams:
            for name in ("text.txt", "large"):
                self.assertEqual(self.found.digests(f"{name}.{ending}"), {name: self.expected[name]}, ending)

    def test_rar_of_both_generations(self):
        for name in ("old.rar", "new.rar"):
            self.assertEqual(self.found.digests(name), {"text.txt": self.expected["text.txt"]}, name)

    def test_archives_in_archives(self):
        tar = sha256(read(self.path("tree", "a.tar")))
        for ending in self.streams:
            name = f"packed.tar.{ending}"
            expected = {"packed.tar": tar, **{"packed.tar!/" + member: digest for member, digest in self.expected.items()}}
            self.assertEqual(self.found.digests(name), expected, name)
        nested = self.found.digests("nested.zip")
        self.assertEqual(nested["packed.tar.gz!/packed.tar!/below/noise.bin"], self.expected["below/noise.bin"])
        self.assertEqual(nested["a.7z!/large"], self.expected["large"])
        self.assertEqual(nested["old.rar!/text.txt"], self.expected["text.txt"])

    def test_what_a_member_says_of_itself(self):
        item = self.found.members["a.tar!/text.txt"]
        container = self.found.items["a.tar"]
        self.assertEqual((item["id"], item["parent"], item["transform"], item["kind"], item["size"], item["type"]),
                         (container["id"] + "!/text.txt", container["id"], "member", "file", len(self.files["text.txt"]), "text/plain"))
        self.assertEqual(item["times"]["modified"][-1], "Z")
        self.assertNotIn("Z", self.found.members["a.zip!/text.txt"]["times"]["modified"])  # of some wall clock
        self.assertNotIn("extents", item)

    def test_any_number_of_workers_and_any_memory_give_the_same_bytes(self):
        whole = run("expand", self.image, "--json", "--jobs", "1", check=(0,)).stdout
        self.assertEqual(whole, run("expand", self.image, "--json", "--jobs", "3", check=(0,)).stdout)
        self.assertEqual(whole, run("expand", self.image, "--json", "--memory", "256M", check=(0,)).stdout)

    def test_cat_gives_a_members_content(self):
        wanted = [f"{archive}!/{'./' if f'{archive}!/./services' in self.found.members else ''}below/noise.bin" for archive in self.archives]
        for path in (*wanted, "nested.zip!/a.7z!/large", "nested.zip!/packed.tar.gz!/packed.tar!/text.txt", "large.xz!/large"):
            item = self.found.members[path]
            content = run("cat", self.image, "--item", item["id"], check=(0,)).stdout
            self.assertEqual(sha256(content), item["digests"]["sha256"], path)
        missing = run("cat", self.image, "--item", item["id"] + "x", check=(3,))
        self.assertIn(b"no such item", missing.stderr)
        self.assertEqual(missing.stdout, b"")

    def test_through_pipes(self):
        listed = run("list", self.image, "--json", check=(0,)).stdout
        expanded = run("expand", "-", stdin=listed, check=(0,)).stdout
        self.assertEqual(Findings(expanded).members, self.found.members)
        again = run("hash", "-", "--digests", "sha256", stdin=expanded, check=(0,)).stdout
        self.assertEqual(Findings(again).members, self.found.members)

    def test_hash_sets_and_rules_see_members(self):
        with open(self.path("known.txt"), "w", encoding="ascii") as file:
            file.write(hashlib.sha256(self.files["below/noise.bin"]).hexdigest() + "\n")
        with open(self.path("rule.yar"), "w", encoding="ascii") as file:
            file.write('rule named { strings: $a = "a name beyond ASCII" condition: #a == 40 }\n'
                       f'rule deep {{ strings: $a = {{ {self.files["large"][:16].hex()} }} condition: #a > 1000 and filesize > 19MB }}\n')
        found = Findings(run("expand", self.image, "--json", "--hashset", self.path("known.txt"), "--rules", self.path("rule.yar"), check=(0, 4)).stdout)
        matches = {(record["item"].partition(":/")[2], record["by"]) for record in found.records if record["record"] == "match"}
        for archive in self.archives:
            prefix = "./" if f"{archive}!/./services" in found.members else ""
            self.assertIn((f"{archive}!/{prefix}below/noise.bin", "hashset"), matches)
            self.assertIn((f"{archive}!/{prefix}below/d\u00e9p\u00f4t/na\u00efve.txt", "yara"), matches)
            self.assertIn((f"{archive}!/{prefix}large", "yara"), matches)
        self.assertIn(("large.xz!/large", "yara"), matches)
        self.assertEqual({path: item["digests"] for path, item in found.members.items() if "digests" in item},
                         {path: item["digests"] for path, item in self.found.members.items() if "digests" in item})


class Bounds(Folder):
    """Bombs, and what lies about itself."""

    @classmethod
    def fill(cls):
        zeros = bytes(1 << 20)
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        cls.put("flat.gz", b"".join(packer.compress(zeros) for _ in range(1500)) + packer.flush())
        cls.zip("flat.zip", {f"{number}.bin": bytes(50 * MiB) for number in range(6)})
        inner = cls.zipped({"zeros": bytes(20 * MiB)})
        for _ in range(3):
            inner = cls.zipped({f"{number}.zip": inner for number in range(16)})
        cls.put("nested.zip", inner)
        cls.put("quine.gz", quine())
        deep = b"at the bottom"
        for level in range(40):
            deep = cls.zipped({"x.zip" if level else "x.txt": deep})
        cls.put("deep.zip", deep)
        cls.zip("many.zip", {f"{number:05}": b"" for number in range(20000)})
        cls.zip("small.zip", {"a.txt": b"harmless\n"})

    @staticmethod
    def zipped(files):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
        return out.getvalue()

    @classmethod
    def zip(cls, name, files):
        cls.put(name, cls.zipped(files))

    def test_each_bomb_ends_as_a_problem_in_bounded_memory(self):
        cost = measured([EXHIBIT, "process", self.image, "--case", self.path("case"), "--expand-size", "100M", "--expand-members", "5000",
                         "--memory", "512M", "--carve", "off"], "pss", 50)
        self.assertEqual(cost.status, 4, cost.errors)
        self.assertLess(cost.peak_bytes, 512 * MiB)
        found = Findings(findings(self.path("case")))
        for name in ("flat.gz", "flat.zip", "nested.zip", "many.zip"):
            self.assertEqual(found.causes(name), {"size-limit"}, name)
        self.assertIn("digests", found.members["flat.zip!/0.bin"])
        self.assertNotIn("digests", found.members["flat.zip!/2.bin"])
        self.assertNotIn("digests", found.members["flat.gz!/flat"])
        self.assertEqual(sum(path.startswith("many.zip!/") for path in found.members), 5000)
        self.assertEqual(found.digests("small.zip"), {"a.txt": sha256(b"harmless\n")})

    def test_a_quine_ends_at_the_depth_limit(self):
        found = Findings(run("expand", self.image, "--json", "--expand-depth", "5", "--expand-size", "1M", check=(4,)).stdout)
        levels = sorted(path for path in found.members if path.startswith("quine.gz!/"))
        self.assertEqual(len(levels), 5)
        self.assertEqual({found.members[path]["digests"]["sha256"] for path in levels}, {sha256(quine())})
        self.assertEqual(found.causes(levels[-1]), {"depth-limit"})
        self.assertEqual(found.causes("deep.zip!/x.zip!/x.zip!/x.zip!/x.zip!/x.zip"), {"depth-limit"})
        self.assertNotIn("deep.zip!/x.zip!/x.zip!/x.zip!/x.zip!/x.zip!/x.zip", found.items)

    def test_a_bomb_is_known_by_its_ratio_without_any_option(self):
        only = self.path("one")
        os.mkdir(only)
        shutil.copy(self.path("tree", "flat.gz"), only)
        found = Findings(run("expand", image_of(only, self.path("one.raw")), "--json", "--digests", "md5", check=(4,)).stdout)
        self.assertEqual(found.causes("flat.gz"), {"size-limit"})


class Hostile(Folder):
    @classmethod
    def fill(cls):
        cls.text = read("/usr/share/common-licenses/GPL-3")
        with tarfile.open(cls.path("tree", "names.tar"), "w", format=tarfile.GNU_FORMAT, encoding="latin-1") as tar:
            for name in ("../../etc/evil", "/etc/absolute", "twice", "twice", "twice#2", "\xff\xfe", "\xff\xfd"):
                entry = tarfile.TarInfo(name)
                entry.size = len(name)
                tar.addfile(entry, io.BytesIO(name.encode("latin-1")))
            for kind, name in ((tarfile.SYMTYPE, "link"), (tarfile.LNKTYPE, "hard")):
                entry = tarfile.TarInfo(name)
                entry.type, entry.linkname = kind, "/etc/passwd" if kind == tarfile.SYMTYPE else "twice"
                tar.addfile(entry)
            for kind, name in ((tarfile.CHRTYPE, "device"), (tarfile.FIFOTYPE, "pipe"), (tarfile.DIRTYPE, "folder")):
                entry = tarfile.TarInfo(name)
                entry.type = kind
                tar.addfile(entry)
        with open(cls.path("plain"), "wb") as file:
            file.write(cls.text)
        for name, words in (("secret.7z", ("-psecret",)), ("hidden.7z", ("-psecret", "-mhe=on")), ("secret.zip", ("-tzip", "-psecret")),
                            ("aes.zip", ("-tzip", "-psecret", "-mem=AES256"))):
            call("7z", "a", "-bd", *words, cls.path("tree", name), cls.path("plain"))
        cls.put("secret4.rar", rar4(b"plain", cls.text, flags=4))
        cls.put("secret5.rar", rar5(b"plain", cls.text, encrypted=True))
        # One byte of the content is another.
        for form, options in (("stored.zip", ("-tzip", "-mx=0")), ("deflated.zip", ("-tzip", "-mx=9")), ("copy.7z", ("-m0=Copy",)), ("lzma.7z", ())):
            call("7z", "a", "-bd", *options, cls.path(form), cls.path("plain"))
            cls.damage(form, read(cls.path(form)))
        call("gcab", "-c", "-n", cls.path("plain.cab"), "plain", cwd=cls.folder.name)
        cls.damage("plain.cab", read(cls.path("plain.cab")))
        cls.damage("4.rar", rar4(b"plain", cls.text))
        cls.damage("5.rar", rar5(b"plain", cls.text))
        cls.put("wrong4.rar", rar4(b"plain", cls.text, crc=1))
        cls.put("wrong5.rar", rar5(b"plain", cls.text, crc=1))
        for ending, words in {**Formats.streams, "gz": ("gzip", "-n")}.items():
            packed = subprocess.run([*words, "-c"], input=cls.text, check=True, stdout=subprocess.PIPE).stdout
            cls.put("short." + ending, packed[:len(packed) * 3 // 4])
            cls.damage("plain." + ending, packed)
        with tarfile.open(cls.path("two.tar"), "w") as tar:
            for name in ("first", "second"):
                entry = tarfile.TarInfo(name)
                entry.size = len(cls.text)
                tar.addfile(entry, io.BytesIO(cls.text))
        whole = read(cls.path("two.tar"))
        cls.put("short.tar", whole[:512 + len(cls.text) + 2000])
        packed = bytearray(gzip.compress(whole, 9, mtime=0))
        packed[-8] ^= 1  # its CRC-32
        cls.put("wrong.tar.gz", packed)
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for name in ("first", "second", "third"):
                archive.writestr(name, cls.text)
        cls.put("headless.zip", out.getvalue()[:2 * len(cls.text)])

    @classmethod
    def damage(cls, name, data):
        """In the middle of what is packed."""
        data = bytearray(data)
        data[len(data) // 2] ^= 0x55
        cls.put("bad-" + name, data)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.found = Findings(run("expand", cls.image, "--json", check=(4,)).stdout)

    def test_names_stay_names(self):
        items = {item["id"].partition("names.tar!/")[2]: item for path, item in self.found.members.items() if path.startswith("names.tar!/")}
        ids = [record["id"].partition("names.tar!/")[2] for record in self.found.records if "names.tar!/" in record.get("id", "")]
        self.assertEqual(sorted(ids), sorted(["../../etc/evil", "/etc/absolute", "twice", "twice#2", "twice#2#2", "\ufffd\ufffd", "\ufffd\ufffd#2",
                                              "link", "hard", "device", "pipe", "folder"]))
        by_id = {record["id"].partition("names.tar!/")[2]: record for record in self.found.records if "names.tar!/" in record.get("id", "")}
        self.assertEqual(by_id["../../etc/evil"]["digests"]["sha256"], sha256(b"../../etc/evil"))
        self.assertEqual((by_id["link"]["kind"], by_id["link"]["link_target"], "digests" in by_id["link"]), ("symlink", "/etc/passwd", False))
        self.assertEqual((by_id["hard"]["link_target"], "digests" in by_id["hard"]), ("twice", False))
        self.assertEqual({by_id[name]["kind"] for name in ("device", "pipe", "folder")}, {"device", "fifo", "directory"})
        import base64
        self.assertEqual(base64.b64decode(by_id["\ufffd\ufffd"]["path_raw"]), b"/names.tar!/\xff\xfe")
        self.assertFalse(os.path.exists("/etc/evil"))

    def test_what_is_encrypted_is_said_to_be(self):
        for name in ("secret.7z", "secret.zip", "aes.zip", "secret4.rar", "secret5.rar"):
            self.assertEqual(self.found.causes(name + "!/plain"), {"encrypted"}, name)
            self.assertNotIn("digests", self.found.members[name + "!/plain"], name)
        self.assertEqual(self.found.causes("hidden.7z"), {"encrypted"})

    def test_no_digest_of_what_fails_its_checksum(self):
        damaged = [path for path in self.found.items if path.startswith(("bad-", "wrong")) and "!/" not in path]
        self.assertEqual(len(damaged), 16)
        for name in damaged:
            members = [path for path in self.found.members if path.startswith(name + "!/")]
            told = self.found.causes(name).union(*(self.found.causes(path) for path in members))
            self.assertTrue(told & {"corrupt"}, f"{name}: {told}")
            for path in members:
                self.assertNotIn("digests", self.found.members[path], path)
            for path in members:
                if self.found.members[path].get("size"):
                    self.assertTrue(self.found.causes(path), path)

    def test_what_ends_early(self):
        for ending in Formats.streams:
            (member,) = (path for path in self.found.members if path.startswith(f"short.{ending}!/"))
            self.assertNotIn("digests", self.found.members[member])
            self.assertEqual(self.found.causes(member), {"corrupt"}, ending)
        self.assertEqual(self.found.digests("short.tar"), {"first": sha256(self.text)})
        self.assertIn("corrupt", self.found.causes("short.tar!/second"))
        # Members before the place where a ZIP file's directory is missing.
        self.assertEqual(self.found.digests("headless.zip"), {"first": sha256(self.text)})
        self.assertEqual(self.found.causes("headless.zip"), {"corrupt"})


class Case(Folder):
    """process: interrupted, resumed, sealed, verified."""

    @classmethod
    def fill(cls):
        noise = random.Random(3)
        for number in range(24):
            Bounds.zip.__func__(cls, f"{number}.zip", {f"{part}.bin": noise.randbytes(40_000) for part in range(8)})

    zipped = staticmethod(Bounds.zipped)

    def process(self, case, *options):
        return run("process", self.image, "--case", self.path(case), *options, check=(0,))

    def test_killed_and_gone_on_with(self):
        self.process("whole", "--jobs", "2")
        child = subprocess.Popen([EXHIBIT, "process", self.image, "--case", self.path("cut"), "--jobs", "1"], stderr=subprocess.DEVNULL)
        work = self.path("cut", "work")
        while child.poll() is None and not any(".expand." in name for name in (os.listdir(work) if os.path.isdir(work) else ())):
            time.sleep(0.001)
        child.send_signal(signal.SIGKILL)
        child.wait()
        self.process("cut")
        self.assertEqual(findings(self.path("cut")), findings(self.path("whole")))
        found = Findings(findings(self.path("whole")))
        self.assertEqual(len(found.members), 24 * 8)

    def test_verify_says_that_members_are_not_read_again_by_extents(self):
        key, certificate, authority = make_keys(self.folder.name)
        self.process("sealed")
        run("seal", self.path("sealed"), "--key", key, "--cert", certificate, *INCOMPLETE, check=(0,))
        with open(self.path("sealed", "manifest.json"), "rb") as file:
            (bounds,) = (entry for entry in json.load(file)["inputs"] if entry["kind"] == "config")
        self.assertEqual(bounds["digests"]["sha256"], sha256(bounds["version"].encode()))
        self.assertEqual(json.loads(bounds["version"])["depth"], 16)
        said = run("verify", self.path("sealed"), "--trust", authority, "--evidence", "E1=" + self.image, check=(0,)).stdout.decode()
        self.assertIn(f"{24 * 8} items: its content is transformed (member)", said)

    def test_off_is_off(self):
        self.process("off", "--expand", "off")
        found = Findings(findings(self.path("off")))
        self.assertEqual((found.members, len(found.items) >= 24), ({}, True))


if __name__ == "__main__":
    unittest.main(verbosity=2)
