"""Files embedded in PDFs have the digests that poppler's pdfdetach gives them, however they are named or packed; of one
that contradicts its checksum, or can't be decrypted, none is claimed."""
import hashlib, os, random, unittest, zlib
from expand_test import Findings, Folder, call, image_of, read, sha256
from support import run

ENCRYPTION = {"empty-password.pdf": "", "password.pdf": "secret"}


def document(*objects):
    """A PDF of a page with an annotation that holds a file specification in itself, for object 4; and what is given."""
    attachment = b"<< /Type /Annot /Subtype /FileAttachment /Rect [0 0 1 1] /FS << /Type /Filespec /F (line.txt) /EF << /F 4 0 R >> >> >>"
    objects = (b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
               b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Annots [%s] >>" % attachment, *objects)
    out, places = b"%PDF-1.7\n", []
    for number, data in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, data)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"xref\n0 %d\n0000000000 65535 f \n%strailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1, table, len(objects) + 1, len(out))


def stream(data, dictionary=b""):
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (dictionary, len(data), data)


def embedded(data, parameters=b"", packed=None):
    packed = zlib.compress(data) if packed is None else packed
    return stream(packed, b"/Type /EmbeddedFile /Filter /FlateDecode /Params << %s >>" % parameters)


class EmbeddedFiles(Folder):
    @classmethod
    def fill(cls):
        noise = random.Random(7)
        cls.files = {"licence.txt": read("/usr/share/common-licenses/GPL-3"), "\u045e\u0437\u043e\u0440.bin": noise.randbytes(100_000),
                     "large": noise.randbytes(64) * (20 << 20 >> 6)}
        cls.put("page.pdf", document(stream(b"plain, of no type")))
        words = []
        for name, data in cls.files.items():
            with open(cls.path(name), "wb") as file:
                file.write(data)
            words += ["--add-attachment", cls.path(name), "--creationdate=D:20240501120000+03'00'", "--"]
        call("qpdf", cls.path("tree", "page.pdf"), *words, cls.path("tree", "files.pdf"))
        whole = cls.path("tree", "files.pdf")
        call("qpdf", "--object-streams=generate", whole, cls.path("tree", "packed.pdf"))
        # What stands before the header shifts every place that the document states.
        cls.put("shifted.pdf", b"something before\n" + read(cls.path("tree", "page.pdf")))
        small = cls.path("small.pdf")
        call("qpdf", cls.path("tree", "page.pdf"), *words[:4], small)
        for name, password in ENCRYPTION.items():
            call("qpdf", "--encrypt", password, "owner", "256", "--", small, cls.path("tree", name))
        # Its table of places is gone: libqpdf looks for the objects themselves.
        cls.put("no-table.pdf", read(small)[:read(small).rindex(b"xref")])
        right, wrong = hashlib.md5(b"unnamed").hexdigest().encode(), b"00" * 16
        cls.put("odd.pdf", document(
            stream(b"plain, of no type"), embedded(b"unnamed", b"/CheckSum <%s> /Size 1" % right),
            stream(b"68656c6c6f>", b"/Type /EmbeddedFile /Filter /ASCIIHexDecode"), embedded(b"wrong sum", b"/CheckSum <%s>" % wrong),
            embedded(b"wrong size", b"/Size 3"), embedded(b"bad", packed=zlib.compress(b"bad")[:-1] + b"?"),
            stream(b"?", b"/Type /EmbeddedFile /Filter /JBIG2Decode")))
        cls.put("none.pdf", document(b"null"))
        cls.put("length.pdf", document(stream(b"longer than it says").replace(b"/Length 19", b"/Length 10")))

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.found = Findings(run("expand", cls.image, "--json", check=(4,)).stdout)
        cls.expected = {name: sha256(data) for name, data in cls.files.items()}

    def test_they_have_the_digests_that_pdfdetach_gives(self):
        for name in ("files.pdf", "packed.pdf"):
            folder = self.path("detached-" + name)
            os.mkdir(folder)
            call("pdfdetach", "-enc", "UTF-8", "-saveall", "-o", folder, self.path("tree", name))
            detached = {entry: sha256(read(os.path.join(folder, entry))) for entry in os.listdir(folder)}
            self.assertEqual(detached, {**self.expected, "line.txt": sha256(b"plain, of no type")})
            self.assertEqual(self.found.digests(name), detached, name)
            self.assertEqual(self.found.causes(name), set())

    def test_times_are_told_in_utc(self):
        self.assertEqual(self.found.members["files.pdf!/licence.txt"]["times"]["born"], "2024-05-01T09:00:00Z")

    def test_what_nothing_names_is_told_too(self):
        self.assertEqual(self.found.digests("odd.pdf"),
                         {"line.txt": sha256(b"plain, of no type"), "embedded-5": sha256(b"unnamed"), "embedded-6": sha256(b"hello")})
        self.assertEqual(self.found.digests("none.pdf"), {})

    def test_no_digest_of_what_contradicts(self):
        for number, cause in ((7, "corrupt"), (8, "corrupt"), (9, "corrupt"), (10, "unsupported")):
            self.assertIn(cause, self.found.causes(f"odd.pdf!/embedded-{number}"), number)

    def test_no_digest_where_the_stated_length_is_not_so(self):
        """libqpdf and poppler don't agree where such a stream ends."""
        self.assertEqual(self.found.digests("length.pdf"), {})
        self.assertIn("corrupt", self.found.causes("length.pdf!/line.txt"))

    def test_encryption_and_damage(self):
        one = {"licence.txt": self.expected["licence.txt"], "line.txt": sha256(b"plain, of no type")}
        for name in ("empty-password.pdf", "no-table.pdf"):
            self.assertEqual(self.found.digests(name), one, name)
        self.assertEqual(self.found.digests("shifted.pdf"), {"line.txt": one["line.txt"]})
        self.assertEqual(self.found.digests("password.pdf"), {})
        self.assertEqual(self.found.causes("password.pdf"), {"encrypted"})

    def test_hostile_documents_end(self):
        """Flipped bytes: each document ends with members that it really holds, or with a problem, and never in a crash."""
        noise = random.Random(3)
        os.mkdir(self.path("flipped"))
        whole = read(self.path("small.pdf"))
        packed = whole.index(b"x\x9c", whole.index(b"/EmbeddedFile"))
        outside = [*range(packed), *range(whole.index(b"endstream", packed), len(whole))]
        for number in range(60):
            data = bytearray(whole)
            for _ in range(noise.randrange(1, 12)):
                data[noise.choice(outside)] = noise.randrange(256)
            with open(self.path("flipped", f"{number:02}.pdf"), "wb") as file:
                file.write(data)
        found = Findings(run("expand", image_of(self.path("flipped"), self.path("flipped.raw")), "--json", check=(0, 4)).stdout)
        self.assertNotIn("crash", {problem["cause"] for problem in found.problems})
        self.assertNotIn("timeout", {problem["cause"] for problem in found.problems})
        vouched = [item["digests"]["sha256"] for path, item in found.members.items()
                   if path.endswith("licence.txt") and "digests" in item]
        self.assertGreater(len(vouched), 0)
        self.assertEqual(set(vouched), {self.expected["licence.txt"]})


del Folder  # its tests are the other file's


if __name__ == "__main__":
    unittest.main(verbosity=2)
