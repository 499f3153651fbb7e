"""Disclosure: what `exhibit disclose` makes of a sealed case, that it tells nothing of the neighbours, and that `exhibit verify` takes no
file that anybody changed, be it somebody without a key, or an insider who has the case, its salts and a trusted key."""
import hashlib, json, os, shutil, stat, subprocess, sys, tempfile, unittest
import support
from support import CORPORA, findings, lines, run, unpack
from determinism_test import RULE
from disclosure_tampering import ITEM, OTHER_ITEM, TAMPERINGS, Insider, canonical, root, sha256

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "independent"))
from authority import Authority

INCOMPLETE = getattr(support, "INCOMPLETE", ())  # for `seal`, where a profile asks for more than these tests tell
ABSENT = "sha256:" + hashlib.sha256(b"no such content").hexdigest()


class Disclose(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.authority, cls.stranger = Authority(cls.path("pki")), Authority(cls.path("stranger"))
        cls.authority.config.write_text("[tsa]\ndefault_tsa = ts\n" + cls.authority.config.read_text())
        cls.rules = cls.path("rules.yar")
        with open(cls.rules, "w", encoding="ascii") as file:
            file.write(RULE + 'rule pictures { strings: $a = "JFIF" condition: $a }\n')
        cls.images = [unpack("images/con-p-gptfat.raw.xz", cls.folder.name, "first.raw"), unpack("images/image.dd", cls.folder.name, "second.dd")]
        cls.case = cls.sealed("case", cls.images, "--hashset", os.path.join(CORPORA, "hashsets", "known.sha256"))
        cls.insider = Insider(cls.case, "E1")
        cls.good = cls.disclosed("good.json", "--item", ITEM, OTHER_ITEM, "--volume", "E1/p2", "E2/p0", "--absent", ABSENT, "--evidence", "E1")
        cls.present_at = len(cls.insider.keys) // 2
        keys = {sha256(b"exhibit-content" + bytes.fromhex(digest)): digest for line in cls.insider.lines
                for digest in [json.loads(line).get("digests", {}).get("sha256")] if digest}
        cls.present = "sha256:" + keys[cls.insider.keys[cls.present_at]]
        other = cls.sealed("other case", cls.images[1:])
        run("disclose", other, "--volume", "E1/p0", "-o", cls.path("other.json"), check=(0,))
        with open(cls.path("other.json"), "rb") as file:
            cls.other_case = json.load(file)

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder.name, name)

    @classmethod
    def keys(cls):
        return ["--key", str(cls.authority.path("signer.key")), "--cert", str(cls.authority.path("signer.pem"))]

    @classmethod
    def sealed(cls, name, images, *more):
        run("process", *images, "--case", cls.path(name), "--number", "17/2026", "--rules", cls.rules, *more, check=(0, 1, 4))  # 1: the container itself is damaged
        run("seal", cls.path(name), *cls.keys(), "--tsa", str(cls.authority.config), *INCOMPLETE, check=(0,))
        return cls.path(name)

    @classmethod
    def disclosed(cls, name, *words):
        run("disclose", cls.case, *words, "-o", cls.path(name), check=(0,))
        with open(cls.path(name), "rb") as file:
            return file.read()

    def verify(self, name, *more):
        done = run("verify", self.path(name), "--trust", str(self.authority.trust), *more)
        return done.returncode, done.stdout.decode()

    def test_verified_without_the_case(self):
        os.rename(self.case, self.case + " is away")
        self.addCleanup(os.rename, self.case + " is away", self.case)
        code, text = self.verify("good.json")
        self.assertEqual(code, 0, text)
        self.assertRegex(text, r"(?m)^ok +disclosed item +" + ITEM)
        self.assertIn("leads for a person, never findings of fact", text)
        self.assertRegex(text, r"(?m)^ok +disclosed volume +E1/p2: complete: .*none left out")
        self.assertRegex(text, r"(?m)^ok +absence +" + ABSENT)
        for what in ("findings", "ledger", "input", "media", "disclosed item"):
            self.assertRegex(text, rf"(?m)^not checked: .*  {what}  ", text)
        self.assertRegex(text, r"(?m)^verdict: verified")
        code, records = self.verify("good.json", "--json")
        self.assertEqual((code, lines(records)[-1]["verdict"]), (0, "verified"))

    def test_the_proofs_are_those_of_the_definition(self):
        d = json.loads(self.good)
        self.assertEqual(canonical(d), self.good)
        for item in d["items"]:
            self.assertEqual(item["records"], [self.insider.record(record["index"]) for record in item["records"]])
        volume = d["volumes"][0]
        self.assertEqual(volume, self.insider.volume("E1/p2", volume["first"], volume["first"] + len(volume["records"])))
        low, high = d["absent"][0]["low"], d["absent"][0]["high"]
        self.assertEqual((low, high), (self.insider.neighbour(low["index"]), self.insider.neighbour(low["index"] + 1)))
        with open(os.path.join(self.case, "manifest.json"), "rb") as file:
            self.assertEqual(d["manifest"].encode(), file.read())
        claimed = json.loads(d["manifest"])["evidence"][0]["findings"]
        self.assertEqual(claimed["trees"]["sha256"], root(self.insider.leaves).hex())
        self.assertEqual(claimed["content"]["trees"]["sha256"], root(self.insider.key_leaves).hex())

    def test_all_records_of_an_item_and_only_those(self):
        expected = [line.decode() for line in self.insider.lines if ITEM in (json.loads(line).get(key) for key in ("id", "item", "where"))]
        self.assertGreater(len(expected), 2, "the item has leads")
        self.assertEqual([record["line"] for record in json.loads(self.good)["items"][0]["records"]], expected)

    def test_no_tampering_is_verified(self):
        self.assertGreater(len(TAMPERINGS), 60)
        for function in TAMPERINGS:
            with self.subTest(function.__name__):
                d = json.loads(self.good)
                bytes_ = function(d, self) or canonical(d)
                self.assertTrue(bytes_ != self.good, "nothing was changed")
                with open(self.path("tampered.json"), "wb") as file:
                    file.write(bytes_)
                code, text = self.verify("tampered.json")
                self.assertEqual(code, 1, text)
                self.assertIn("\nFAILED", "\n" + text)
                self.assertRegex(text, r"(?m)^verdict: NOT VERIFIED")

    def test_nothing_of_the_neighbours(self):
        chosen = json.loads(self.disclosed("one.json", "--item", ITEM, "--absent", ABSENT))
        shown = " ".join(record["line"] for record in chosen["items"][0]["records"]) + chosen["manifest"]
        with open(self.path("one.json"), "rb") as file:
            raw = file.read().decode()
        everything = raw + raw.replace('\\"', '"').replace("\\\\", "\\")
        searched = 0
        for evidence in ("E1", "E2"):
            for record in lines(findings(self.case, evidence)):
                if record["record"] != "item" or record["id"] == ITEM:
                    continue
                secrets = [record["id"], record["content"], record["path"], record["path"].rsplit("/")[-1], *record.get("digests", {}).values()]
                for secret in secrets:
                    if len(secret) > 3 and secret not in shown:  # folders above the item, and what has the same content
                        self.assertNotIn(secret, everything)
                        searched += 1
        self.assertGreater(searched, 300)

    def test_the_image_is_read_again(self):
        images = ["--evidence", "E1=" + self.images[0], "--evidence", "E2=" + self.images[1]]
        code, text = self.verify("good.json", *images)
        self.assertEqual(code, 0, text)
        self.assertRegex(text, r"(?m)^ok +item content +E1: \d+ items read again by their extents")
        self.disclosed("item.json", "--item", ITEM)
        code, text = self.verify("item.json", *images[:2])
        self.assertEqual(code, 0, text)
        self.assertRegex(text, r"(?m)^ok +item content +E1: 1 items read again by their extents")
        record = json.loads(json.loads(self.good)["items"][0]["records"][0]["line"])
        volume = json.loads(json.loads(self.good)["volumes"][0]["records"][0]["line"])
        shutil.copy(self.images[0], self.path("changed.raw"))
        with open(self.path("changed.raw"), "r+b") as image:
            image.seek(volume["offset"] + record["extents"][0][0] + 1000)
            byte = image.read(1)[0]
            image.seek(-1, os.SEEK_CUR)
            image.write(bytes([byte ^ 1]))
        code, text = self.verify("item.json", "--evidence", "E1=" + self.path("changed.raw"))
        self.assertEqual(code, 1, text)
        self.assertRegex(text, r"(?m)^FAILED +item content +" + ITEM)

    def test_a_content_that_is_there_is_not_absent(self):
        done = run("disclose", self.case, "--absent", self.present, ABSENT, "-o", self.path("no.json"))
        self.assertEqual(done.returncode, 1)
        self.assertIn(self.present + " is in the findings of E1", done.stdout.decode())
        self.assertFalse(os.path.exists(self.path("no.json")))

    def test_absence_at_both_ends_and_between(self):
        """Digests whose keys stand below all, above all and between, found by trying."""
        keys, ends = self.insider.keys, {}
        for i in range(100000):
            digest = hashlib.sha256(str(i).encode()).hexdigest()
            key = sha256(b"exhibit-content" + bytes.fromhex(digest))
            ends.setdefault("low" if key < keys[0] else "high" if key > keys[-1] else "between", "sha256:" + digest)
            if len(ends) == 3:
                break
        self.assertEqual(len(ends), 3)
        d = json.loads(self.disclosed("ends.json", "--absent", *ends.values(), "--evidence", "E1"))
        found = {absence["digest"]: ("low" in absence, "high" in absence) for absence in d["absent"]}
        self.assertEqual(found, {ends["low"]: (False, True), ends["high"]: (True, False), ends["between"]: (True, True)})
        code, text = self.verify("ends.json")
        self.assertEqual(code, 0, text)

    def test_what_has_no_digest_is_told(self):
        """An image of which content can't be read: absence doesn't speak of that."""
        image = os.path.join(CORPORA, "images", "con-p-badchunk.E01")
        case = self.sealed("damaged", [image])
        with open(os.path.join(case, "manifest.json"), "rb") as file:
            claimed = json.load(file)["evidence"][0]["findings"]
        without = [record for record in lines(findings(case)) if record["record"] == "item" and record["kind"] in ("file", "virtual")
                   and record["size"] > 0 and "sha256" not in record.get("digests", {})]
        self.assertEqual(claimed["content"]["without"], len(without))
        self.assertGreater(len(without), 0)
        done = run("disclose", case, "--absent", ABSENT, "-o", self.path("damaged.json"), check=(0,))
        self.assertIn(f"it doesn't show: {len(without)} items have content but no SHA-256: absence says nothing of them (E1)", done.stdout.decode())
        code, text = self.verify("damaged.json")
        self.assertEqual(code, 0, text)
        self.assertRegex(text, rf"(?m)^not checked: {len(without)} items have content but no SHA-256: absence says nothing of them +absence +E1")

    def test_it_is_recorded_where_somebody_answers_for_it(self):
        case = self.path("recorded")
        shutil.copytree(self.case, case)
        done = run("disclose", case, "--item", ITEM, "-o", self.path("silent.json"), check=(0,))
        self.assertIn(b"not recorded in the ledger", done.stderr)
        done = run("disclose", case, "--item", ITEM, "-o", self.path("told.json"), *self.keys(), "--to", "the court", check=(0,))
        self.assertNotIn(b"not recorded", done.stderr)
        with open(os.path.join(case, "custody.jsonl"), "rb") as file:
            event = lines(file.read())[-1]
        with open(self.path("told.json"), "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        self.assertEqual((event["event"], event["detail"]["sha256"], event["detail"]["to"]), ("disclosed", digest, "the court"))
        self.assertEqual(event["evidence"], ["E1"])
        done = run("verify", case, "--trust", str(self.authority.trust))
        self.assertEqual(done.returncode, 0, done.stdout.decode())

    def test_the_file_is_private_new_and_always_the_same(self):
        self.disclosed("private.json", "--item", ITEM)
        self.assertEqual(stat.S_IMODE(os.stat(self.path("private.json")).st_mode), 0o600)
        done = run("disclose", self.case, "--item", OTHER_ITEM, "-o", self.path("private.json"))
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"nothing is overwritten", done.stderr)
        with open(self.path("private.json"), "rb") as file:
            self.assertEqual(file.read(), self.disclosed("again.json", "--item", ITEM))

    def test_a_full_disk_leaves_no_file(self):
        small = self.path("small")
        os.mkdir(small)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", small], check=True)
        self.addCleanup(subprocess.run, ["umount", small], check=True)
        done = run("disclose", self.case, "--volume", "E1/p2", "-o", os.path.join(small, "full.json"))
        self.assertEqual(done.returncode, 5, done.stderr.decode())
        self.assertEqual(os.listdir(small), [])

    def refused(self, code, words, *arguments):
        done = run("disclose", *arguments, "-o", self.path("refused.json"))
        self.assertEqual(done.returncode, code, done.stderr.decode())
        self.assertIn(words, done.stderr.decode())
        self.assertFalse(os.path.exists(self.path("refused.json")))

    def test_refusals(self):
        self.refused(3, "the findings have no item E1/p2/i0:/none", self.case, "--item", ITEM, "E1/p2/i0:/none")
        self.refused(3, "the findings have no volume E1/p9", self.case, "--volume", "E1/p9")
        self.refused(3, "no exhibit E7", self.case, "--item", "E7/p0/i1:/a")
        self.refused(2, "--absent takes", self.case, "--absent", "md5:" + "0" * 32)
        self.refused(2, "give --item", self.case)
        case = self.path("changed")
        shutil.copytree(self.case, case)
        os.remove(os.path.join(case, "secret", "E1.salts"))
        self.refused(3, "E1.salts", case, "--item", ITEM)
        with open(os.path.join(case, "secret", "E1.salts"), "wb") as file:
            file.write(b"k" * 32)
        self.refused(3, "isn't the key that the manifest commits to", case, "--item", ITEM)
        shutil.copy(os.path.join(self.case, "secret", "E1.salts"), os.path.join(case, "secret", "E1.salts"))
        with open(os.path.join(case, "findings", "E1.jsonl"), "r+b") as file:
            data = file.read()
            file.seek(data.index(b'"state":"allocated"') + 9)
            file.write(b"A")
        self.refused(3, "the findings of E1 aren't those that were sealed", case, "--item", ITEM)
        self.refused(3, "the findings of E1 aren't those that were sealed", case, "--absent", ABSENT)
        os.remove(os.path.join(case, "manifest.json.1.p7s"))
        os.remove(os.path.join(case, "manifest.json.1.tsr"))
        self.refused(3, "nobody has signed", case, "--item", ITEM)
        os.remove(os.path.join(case, "manifest.json"))
        self.refused(3, "isn't sealed", case, "--item", ITEM)


if __name__ == "__main__":
    unittest.main(verbosity=2)
