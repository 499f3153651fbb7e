"""Mail as items: parts have the digests that Python's own mail package gives them."""
import base64, collections, email, email.message, email.policy, glob, mailbox, os, random, struct, subprocess, tempfile, unittest
from expand_test import Findings, Folder, MiB, call, read, sha256
from support import CORPORA, run

TEXT = "Dear reader,\nnothing here is worth a second look \u2013 only d\u00e9cor.\n" * 30


def message(number, attachments=(), html=False, nested=None):
    made = email.message.EmailMessage(policy=email.policy.SMTP)
    made["From"], made["To"] = "a@example.org", "b@example.org"
    made["Subject"], made["Message-ID"] = f"number {number}", f"<{number}@example.org>"
    made["Date"] = "Mon, 01 Jan 2024 00:00:00 +0000"
    made.set_content(TEXT)
    if html:
        made.add_alternative("<p>" + TEXT + "</p>", subtype="html", cte="base64")
    for name, data in attachments:
        made.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    if nested is not None:
        made.add_attachment(nested)
    return made


def leaves(data):
    """Digest of each part that holds no others."""
    def walk(part):
        if part.get_content_type() == "message/rfc822":
            yield "message", part
        elif part.is_multipart():
            for inner in part.get_payload():
                yield from walk(inner)
        else:
            yield part.get_filename(), sha256(part.get_payload(decode=True))
    return list(walk(email.message_from_bytes(data)))


def compound(files):
    """A compound file ([MS-CFB], version 3) of streams by path; short ones lie in the mini stream."""
    free, end, none = 0xffffffff, 0xfffffffe, 0xffffffff
    sectors, fat, mini, mini_fat = [], [], b"", []

    def chain(data):
        first = len(sectors)
        parts = [data[at:at + 512].ljust(512, b"\0") for at in range(0, len(data), 512)]
        sectors.extend(parts)
        fat.extend(range(first + 1, first + len(parts)))
        fat.append(end)
        return first

    entries = [["Root Entry", 5, none, none, 0, 0]]  # name, type, right sibling, child, first, size
    last = {"": None}
    for path, data in files.items():
        *folders, name = path.split("/")
        parent = ""
        for folder in [*folders, name]:
            own = f"{parent}/{folder}" if parent else folder
            is_stream = own == path
            if is_stream or own not in last:
                index = len(entries)
                first = end
                if is_stream and len(data) >= 4096:
                    first = chain(data)
                elif is_stream and data:
                    first = len(mini_fat)
                    count = (len(data) + 63) // 64
                    mini += data.ljust(count * 64, b"\0")
                    mini_fat += [*range(first + 1, first + count), end]
                entries.append([folder, 2 if is_stream else 1, none, none, first, len(data) if is_stream else 0])
                before = last[parent]
                if before is None:
                    entries[0 if not parent else numbers[parent]][3] = index
                else:
                    entries[before][2] = index
                last[parent] = index
                if not is_stream:
                    last[own] = None
                    numbers = {**(numbers if "numbers" in locals() else {}), own: index}
            parent = own
    entries[0][4:] = [chain(mini) if mini else end, len(mini)]
    packed = b"".join(name.encode("utf-16-le").ljust(64, b"\0") + struct.pack("<HBBIII16sIQQIQ", len(name) * 2 + 2, kind, 1, none, right, child, b"", 0, 0, 0, first, size)
                      for name, kind, right, child, first, size in entries)
    packed += (bytes(66) + b"\0\1" + struct.pack("<III", none, none, none)).ljust(128, b"\0") * (-len(entries) % 4)
    directory = chain(packed)
    first_mini = chain(struct.pack(f"<{len(mini_fat)}I", *mini_fat).ljust(-(-len(mini_fat) // 128) * 512, b"\xff")) if mini_fat else end
    tables = 1
    while tables * 128 < len(sectors) + tables:
        tables += 1
    places = [len(sectors) + number for number in range(tables)]
    fat += [0xfffffffd] * tables
    fat += [free] * (tables * 128 - len(fat))
    sectors += [struct.pack("<128I", *fat[at:at + 128]) for at in range(0, len(fat), 128)]
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHHHIIIIIIIIII", 0x3e, 3, 0xfffe, 9, 6, 0, 0, 0, tables, directory, 0, 4096, first_mini,
                                                                      -(-len(mini_fat) // 128), end, 0)
    return header + struct.pack("<109I", *places, *[free] * (109 - tables)) + b"".join(sectors)


class Outlook(Folder):
    """Messages as Outlook saves them, and its stores where the corpora have some."""

    @classmethod
    def fill(cls):
        noise = random.Random(7)
        cls.streams = {"__properties_version1.0": bytes(32), "__nameid_version1.0/__substg1.0_00020102": b"x" * 16, "__nameid_version1.0/__substg1.0_00030102": b"",
                       "__nameid_version1.0/__substg1.0_00040102": b"", "__substg1.0_001A001F": "IPM.Note".encode("utf-16-le"),
                       "__substg1.0_1000001F": ("a body \u00e9\n" * 500).encode("utf-16-le"),
                       "__attach_version1.0_#00000000/__properties_version1.0": bytes(16),
                       "__attach_version1.0_#00000000/__substg1.0_37010102": noise.randbytes(70_001),
                       "__attach_version1.0_#00000000/__substg1.0_3707001F": "r\u00e9sum\u00e9.pdf".encode("utf-16-le"),
                       "__attach_version1.0_#00000001/__properties_version1.0": bytes(16),
                       "__attach_version1.0_#00000001/__substg1.0_37010102": b"short",
                       "__attach_version1.0_#00000001/__substg1.0_3704001F": "../up.txt".encode("utf-16-le")}
        cls.put("message.msg", compound(cls.streams))
        damaged = bytearray(compound(cls.streams))
        damaged[76:80] = struct.pack("<I", 3)  # its allocation table is somewhere else
        cls.put("damaged.msg", damaged)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.found = Findings(run("expand", cls.image, "--json", check=(4,)).stdout)

    def test_a_message_gives_its_streams_as_7z_does(self):
        with tempfile.TemporaryDirectory() as out:
            call("7z", "x", "-bd", "-y", "-o" + out, self.path("tree", "message.msg"))
            unpacked = collections.Counter(sha256(read(os.path.join(folder, name))) for folder, _, names in os.walk(out) for name in names)
        found = self.found.digests("message.msg")
        self.assertEqual(collections.Counter(found.values()), unpacked)
        self.assertEqual(sorted(found.values()), sorted(sha256(data) for data in self.streams.values()))
        self.assertEqual(found["attachments/r\u00e9sum\u00e9.pdf"], sha256(self.streams["__attach_version1.0_#00000000/__substg1.0_37010102"]))
        self.assertEqual(found["attachments/../up.txt"], sha256(b"short"))

    def test_tables_that_contradict_vouch_for_nothing(self):
        self.assertEqual(self.found.causes("damaged.msg"), {"corrupt"})
        self.assertEqual(self.found.digests("damaged.msg"), {})

    def test_stores_have_the_attachments_that_readpst_finds(self):
        stores = glob.glob(os.path.join(CORPORA, "mail", "*.[op]st"))
        if not stores:
            self.skipTest("no PST or OST among the corpora: mail/")
        for store in stores:
            with tempfile.TemporaryDirectory() as folder:
                image, out = os.path.join(folder, "image"), os.path.join(folder, "out")
                os.mkdir(out)
                with open(image, "wb") as file:
                    file.truncate(os.path.getsize(store) + 40 * MiB)
                call("mkfs.fat", "-F", "32", image)
                call("mcopy", "-i", image, store, "::/store.pst")
                found = Findings(run("expand", image, "--json", check=(0, 4)).stdout)
                subprocess.run(["readpst", "-q", "-j", "0", "-S", "-o", out, store], check=True, capture_output=True)
                # readpst puts a number before an attachment's name; what it calls rtf-body is none.
                theirs = collections.Counter(sha256(read(os.path.join(folder, name))) for folder, _, names in os.walk(out) for name in names
                                             if name.split("-")[0].isdigit() and "-" in name and not name.endswith("-rtf-body.rtf"))
                ours = collections.Counter(record["digests"]["sha256"] for record in found.records if "/attachments/" in record.get("path", "") and "digests" in record)
                self.assertFalse(theirs - ours, store)


class Mail(Folder):
    @classmethod
    def fill(cls):
        noise = random.Random(5)
        cls.blob, cls.large = noise.randbytes(100_001), noise.randbytes(1000) * 12_000
        cls.parts = (("r\u00e9sum\u00e9.bin", cls.blob), ("../../outside", b"x"), ("a name that is so long that it is folded by RFC 2231 " * 3 + ".txt", b"yy"))
        cls.rich = message(1, cls.parts, html=True, nested=message(2, (("inner.bin", cls.blob[:77]),))).as_bytes()
        cls.put("rich.eml", cls.rich)
        cls.put("large.eml", message(3, (("large.bin", cls.large),)).as_bytes())
        cls.put("no-ending", message(4).as_bytes())
        box = mailbox.mbox(cls.path("tree", "Inbox"))
        for number in range(5):
            box.add(message(number, (("part.bin", cls.blob[number:]),)))
        made = email.message.Message()
        made["From"], made["Subject"] = "a@example.org", "a line that a mailbox escapes"
        made.set_payload("From here on\nFrom there on\n\nFrom afar\n")
        box.add(made)
        box.flush()
        box.close()
        cls.put("cut.eml", cls.rich[:len(cls.rich) // 2])
        old = base64.encodebytes(b"with a footer") + b"-- \nsent by a list\n"
        cls.put("footer.eml", b"From: a@example.org\nContent-Transfer-Encoding: base64\n\n" + old)
        cls.put("latin.eml", b"From: a@example.org\nContent-Type: text/plain; name=\"=?iso-8859-1?Q?na=EFve?= =?utf-8?B?IMOk?=.txt\"\n\nhello\n")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.found = Findings(run("expand", cls.image, "--json", check=(4,)).stdout)

    def test_parts_have_the_digests_that_python_gives_them(self):
        for name in ("rich.eml", "large.eml", "no-ending"):
            with open(self.path("tree", name), "rb") as file:
                expected = sorted(digest for kind, digest in leaves(file.read()) if kind != "message")
            found = {member: digest for member, digest in self.found.digests(name).items() if "!/" not in member and not member.endswith(".eml")}
            self.assertEqual(sorted(found.values()), expected, name)

    def test_names_are_decoded_and_stay_names(self):
        for name, data in self.parts:
            self.assertEqual(self.found.members[f"rich.eml!/{name}"]["digests"]["sha256"], sha256(data))
        self.assertIn("latin.eml!/na\u00efve \u00e4.txt", self.found.members)

    def test_a_message_within_a_message_is_gone_into(self):
        (inner,) = (path for path in self.found.members if path.startswith("rich.eml!/") and path.endswith("inner.bin"))
        self.assertEqual(self.found.members[inner]["digests"]["sha256"], sha256(self.blob[:77]))

    def test_a_mailbox_gives_its_messages_as_python_does(self):
        box = mailbox.mbox(self.path("tree", "Inbox"))
        expected = [sha256(box.get_bytes(key)) for key in box.keys()]
        box.close()
        found = self.found.digests("Inbox")
        self.assertEqual([found[f"message-{number + 1:06}.eml"] for number in range(len(expected))], expected)
        self.assertEqual(found["message-000003.eml!/part.bin"], sha256(self.blob[2:]))

    def test_what_is_left_out_is_told(self):
        self.assertEqual(self.found.causes("cut.eml"), {"corrupt"})
        self.assertEqual(self.found.causes("footer.eml"), {"unsupported"})
        self.assertEqual(list(self.found.digests("footer.eml").values()), [sha256(b"with a footer")])


del Folder  # its tests are the other file's


if __name__ == "__main__":
    unittest.main(verbosity=2)
