"""Mail as items: parts have the digests that Python's own mail package gives them."""
import base64, email, email.message, email.policy, hashlib, mailbox, os, random, unittest
from expand_test import Findings, Folder, sha256
from support import run

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
