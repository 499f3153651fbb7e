"""The protocol for paper: what it says, read back from its pages by other programs."""
import hashlib, json, os, re, subprocess, sys, tempfile, unittest
from pathlib import Path
from support import run

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "report"))
import demo_case

PROFILES = demo_case.PROFILES
NATIONAL = {"ru": "streebog256", "by": "belt256"}


def flat(text):
    """Without what a line's end and a column's edge do to words."""
    return re.sub(r"\s+", "", text)


class Protocol(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        self.made = 0

    def pdf(self, profile, *words, **how):
        """The file, the case, and its text as a reader meets it, page by page."""
        self.made += 1
        case = demo_case.make_demo(self.folder / str(self.made), profile, **how)
        file = self.folder / f"{self.made}.pdf"
        run("report", str(case), "--to", "pdf", "-o", str(file), *words, check=(0,))
        return file, case, self.pages(file)

    @staticmethod
    def pages(file):
        text = subprocess.run(["pdftotext", "-layout", str(file), "-"], check=True, capture_output=True).stdout.decode()
        return text.split("\f")[:-1]

    @staticmethod
    def columns(file):
        """Each cell by itself, whatever stands beside it."""
        return flat(subprocess.run(["pdftotext", "-raw", str(file), "-"], check=True, capture_output=True).stdout.decode())

    def told_values(self, value):
        if isinstance(value, dict):
            return [text for member in value.values() for text in self.told_values(member)]
        if isinstance(value, list):
            return [text for member in value for text in self.told_values(member)]
        return [] if isinstance(value, bool) else [str(value)]

    def test_every_field_in_the_language_of_the_profile(self):
        for profile, language in (("ru", "ru"), ("by", "be"), ("by", "ru"), ("int", "en")):
            file, case, _ = self.pdf(profile, "--language", language)
            text = self.columns(file)
            fields = json.loads((PROFILES / (profile + ".json")).read_text(encoding="utf-8"))["fields"]
            shown = 0
            for field in fields:
                if field["where"] in ("case", "event:received", "event:acquired", "event:write-blocker-tested") and field["key"] in demo_case.LANGUAGE[profile]:
                    self.assertIn(flat(field["labels"][language]), text, f"{profile} {language}")
                    shown += 1
                    for value in self.told_values(demo_case.LANGUAGE[profile][field["key"]]):
                        self.assertIn(flat(value), text, field["key"])
            self.assertGreater(shown, 15)
            everything = {"ru": "Всеполя,которыхтребуетпрофиль,указаны.", "be": "Усепалі,якіхпатрабуепрофіль,паказаны.",
                          "en": "Everyfieldthattheprofilerequiresistold."}
            self.assertIn(everything[language], text)
            self.assertNotIn("\ufffd", text)

    def test_digests_of_the_manifest_in_groups_and_as_a_code(self):
        for profile in ("ru", "by", "int"):
            file, case, pages = self.pdf(profile)
            manifest = (case / "manifest.json").read_bytes()
            expected = {"sha256": hashlib.sha256(manifest).hexdigest()}
            if profile == "ru":
                told = subprocess.run(["rhash", "--gost12-256", "-p", "%{gost12-256}", str(case / "manifest.json")], check=True, capture_output=True, text=True)
                expected["streebog256"] = told.stdout.strip().lower()
            text = "\n".join(pages)
            for hexadecimal in expected.values():
                groups = re.findall("....", hexadecimal)
                for line in (groups[:8], groups[8:]):
                    self.assertIn(" ".join(line), text)
            code = self.read_code(file)
            self.assertTrue(code.startswith("exhibit-manifest/1 "), code)
            told = dict(part.split(":") for part in code.split()[1:])
            self.assertEqual(set(told), {"sha256"} | ({NATIONAL[profile]} if profile in NATIONAL else set()))
            for algorithm, hexadecimal in expected.items():
                self.assertEqual(told[algorithm], hexadecimal)
            if profile == "by":  # the same that stands in groups
                groups = re.findall("....", told["belt256"])
                self.assertIn(" ".join(groups[:8]), text)
                self.assertIn(" ".join(groups[8:]), text)

    def read_code(self, file):
        pages = self.pages(file)
        beneath = next(number for number, page in enumerate(pages, 1) if "sha256sum CASE/manifest.json" in page)
        subprocess.run(["pdftoppm", "-r", "150", "-gray", "-png", "-f", str(max(beneath - 1, 1)), "-l", str(beneath), str(file), str(self.folder / "code")],
                       check=True)
        for page in sorted(self.folder.glob("code-*.png")):
            done = subprocess.run(["zbarimg", "-q", "--raw", str(page)], capture_output=True, text=True)
            page.unlink()
            if done.returncode == 0:
                return done.stdout.strip()
        self.fail("no page has a code that can be read")

    def test_the_same_case_gives_the_same_bytes_whatever_the_user_has_set(self):
        file, case, pages = self.pdf("ru")
        again = run("report", str(case), "--to", "pdf", check=(0,),
                    env={"LANG": "de_DE.UTF-8", "TZ": "Asia/Tokyo", "HOME": "/nonexistent", "LANGUAGE": "ja", "SOURCE_DATE_EPOCH": "1"}).stdout
        self.assertEqual(file.read_bytes(), again)
        told = subprocess.run(["pdfinfo", str(file)], check=True, capture_output=True, text=True, env={**os.environ, "TZ": "UTC"}).stdout
        for name in ("CreationDate", "ModDate"):
            self.assertRegex(told, name + r": +Thu May 14 10:15:00 2026")
        for number, page in enumerate(pages, 1):
            self.assertIn(f"страница {number} из {len(pages)}", page)

    def test_what_is_missing_is_named(self):
        lacking = ("examiner", "write_blocker", "packing")
        file, _, pages = self.pdf("ru", leave_out=lacking)
        text = self.columns(file)
        fields = json.loads((PROFILES / "ru.json").read_text(encoding="utf-8"))["fields"]
        listed = text[text.index("Чеговделенедостаёт"):text.index("ДоказательствоE1")]
        for key in lacking:
            label = next(field["labels"]["ru"] for field in fields if field["key"] == key)
            self.assertIn(flat(label), listed, key)
        self.assertGreaterEqual("\n".join(pages).count("НЕ УКАЗАНО"), len(lacking))
        self.assertNotIn("Всеполя,которыхтребуетпрофиль,указаны.", text)

    def test_no_witnesses_and_why(self):
        file, _, _ = self.pdf("int")
        self.assertIn(flat("none, because: the law here asks for none"), self.columns(file))
        file, _, pages = self.pdf("ru", witnesses=False)
        text = self.columns(file)
        self.assertIn("Понятые(неменеедвух)илипричинаотсутствияНЕУКАЗАНО", text)
        signatures = text[text.rindex("Подписи"):]
        self.assertNotIn("Понятой", signatures)

    def test_two_profiles_ask_together(self):
        file, _, _ = self.pdf("ru,by")
        text = self.columns(file)
        for title in ("Российская Федерация, Уголовно-процессуальный кодекс", "Республика Беларусь, Уголовно-процессуальный кодекс"):
            self.assertIn(flat(title), text)
        self.assertEqual(set(part.split(":")[0] for part in self.read_code(file).split()[1:]), {"sha256", "streebog256", "belt256"})

    def test_certification_under_902_14_stands_under_int_alone(self):
        file, _, pages = self.pdf("int")
        annex = pages[-1]
        for words in ("Rule 902(14)", "Alex Examiner", "penalty of perjury", "33d8c299f1c1b27b1bd4cc558689f2c104f86ac43b96a59f3d96fcd65fc8b906"):
            self.assertIn(words, annex)
        self.assertNotIn("902(14)", self.columns(self.pdf("ru")[0]))

    def test_names_as_long_and_as_hostile_as_they_come_and_more_leads_than_paper_bears(self):
        long_name = "/" + "оченьдлинноеимя" * 60 + "/" + "w" * 255 + "/gpj.\u202eexe"

        def change(records):
            at = next(n for n, r in enumerate(records) if r["record"] == "match" and r["item"] == "E1/p1")
            new = []
            for number in range(1200):
                path = long_name if number == 0 else f"/many/{number}.bin"
                identity = f"E1/p1/i9{number:04}:{path}"
                new.append({"record": "item", "id": identity, "volume": "E1/p1", "path": path, "content": identity.split(":")[0], "kind": "file",
                            "state": "allocated", "size": 1, "digests": {"sha256": hashlib.sha256(path.encode()).hexdigest()}})
                new.append({"record": "match", "item": identity, "by": "yara", "source": "pack", "source_sha256": "ab" * 32, "rule": f"rule{number}",
                            "where": [{"offset": n, "length": 2, "string": "$a"} for n in range(100)]})
            return records[:at] + new + records[at:]
        file, _, pages = self.pdf("int", change=change)
        text = self.columns(file)
        self.assertTrue(flat(long_name.replace("\u202e", "\\u{202E}")) in text, "the long name, whole")
        for words, is_there in (("/many/990.bin", True), ("/many/1100.bin", False), ("Inall:1203", True)):
            self.assertEqual(words in text, is_there, words)
        for number, page in enumerate(pages, 1):
            self.assertIn(f"page {number} of {len(pages)}", page)
        # Nothing passes the edges of the paper.
        boxes = subprocess.run(["pdftotext", "-bbox", str(file), "-"], check=True, capture_output=True).stdout.decode()
        edges = [[float(number) for number in box] for box in re.findall(r'<word xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)"', boxes)]
        self.assertGreater(len(edges), 5000)
        for left, top, right, bottom in edges:
            self.assertTrue(60 < left and right < 560 and 20 < top and bottom < 830, (left, top, right, bottom))

    def test_an_open_transfer_is_told(self):
        file, _, _ = self.pdf("ru", events=[*demo_case.EVENTS, "transferred"])
        self.assertIn("Передано,ноприёмнеподтверждён", self.columns(file))
        self.assertNotIn("Передано,ноприёмнеподтверждён", self.columns(self.pdf("ru")[0]))

    def test_a_case_that_is_not_sealed_says_so(self):
        case = demo_case.make_demo(self.folder / "open", "int")
        memory = json.loads((case / "manifest.json").read_text(encoding="utf-8"))
        (case / "manifest.json").unlink()
        (case / "log/case.json").write_text(json.dumps({"case": memory["case"], "inputs": []}), encoding="utf-8")
        (case / "log/runs.jsonl").write_text(json.dumps({"tool": memory["tool"]}) + "\n", encoding="utf-8")
        done = run("report", str(case), "--to", "pdf", "-o", str(self.folder / "open.pdf"), check=(0,))
        self.assertIn(b"isn't sealed", done.stderr)
        text = self.columns(self.folder / "open.pdf")
        self.assertEqual(text.count(flat("The case isn't sealed: there is no manifest yet")), 2)
        self.assertNotIn("SHA-256manifest.json", text)

    def test_a_language_that_the_profile_has_not_is_refused(self):
        case = demo_case.make_demo(self.folder / "refused", "ru")
        done = run("report", str(case), "--to", "pdf", "--language", "en")
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"--language: the case's profile has ru", done.stderr)
        self.assertEqual(done.stdout, b"")


if __name__ == "__main__":
    unittest.main(verbosity=2)
