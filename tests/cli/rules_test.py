"""Rule packs: they pass their own check, a bad pack is refused for what is wrong with it, and what they are for is found
in every encoding and wherever it may lie. All samples are synthetic and harmless."""
import base64, glob, hashlib, json, os, shutil, subprocess, tempfile, unittest
import news_text
from support import BIN, findings, lines, run

PACKS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../signatures/yara")
EXTREMISM = os.path.join(PACKS, "violent-extremism")
PAGES = {"ar": "cp1256", "ru": "cp1251", "fr": "cp1252"}


def content(path):
    with open(path, "rb") as file:
        return file.read()


def positives(pack):
    return sorted(glob.glob(os.path.join(PACKS, pack, "samples", "*", "positive*")))


class Scratch(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def fat(self, size, *options):
        """An image; clusters of 4 KiB, so that there is slack."""
        with open(self.path("fat.img"), "wb") as file:
            file.truncate(size)
        subprocess.run(["mkfs.fat", "-s", "8", *options, self.path("fat.img")], check=True, capture_output=True)
        return self.path("fat.img")

    def put(self, image, name, data):
        with open(self.path("content"), "wb") as file:
            file.write(data)
        subprocess.run(["mcopy", "-i", image, self.path("content"), "::" + name], check=True)

    def leads(self, image, *rules):
        case = self.path("case")
        run("process", image, "--case", case, "--number", "1", "--authority", "order", "--examiner", "E",
            "--carve", "off", "--rules", *rules, check=(0, 4))
        records = lines(findings(case))
        return [record for record in records if record["record"] == "match"], records


class Check(Scratch):
    def check(self, pack, *more, code=0):
        done = run("rules", "check", pack, *more, "--json", check=(code,))
        answers = lines(done.stdout)
        return answers[-1], {answer["rule"]: answer for answer in answers[:-1]}

    def copy(self, pack, name, change=lambda text: text):
        """One rule file of a pack, changed, in a pack of its own."""
        folder = self.path(pack)
        shutil.copytree(os.path.join(PACKS, pack), folder, dirs_exist_ok=True)
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            text = file.read()
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(change(text))
        return folder

    def test_packs_that_are_shipped_pass_by_their_names(self):
        for pack in ("violent-extremism", "finance-crime"):
            last, rules = self.check(pack)
            self.assertTrue(last["passed"], last["complaints"])
            for rule in rules.values():
                self.assertEqual(rule["positive"][0], rule["positive"][1])
                self.assertGreater(rule["positive"][1], 0)
                self.assertEqual(rule["negative"][0], 0)

    def test_what_generate_writes_is_what_is_here(self):
        subprocess.run([os.path.join(PACKS, "generate.py"), "--check", EXTREMISM, os.path.join(PACKS, "finance-crime")], check=True)

    def test_every_rule_of_the_pack_names_an_entry_of_the_list(self):
        with open(os.path.join(EXTREMISM, "organisations.yar"), encoding="utf-8") as file:
            designations = [line for line in file if " designation = " in line]
        self.assertEqual(len(designations), 7)
        for line in designations:
            self.assertRegex(line, r"QDe\.\d{3} .*; listed \d{4}-\d\d-\d\d")

    def test_a_pack_is_refused_for_what_is_wrong_with_it(self):
        def without(key):
            return lambda text: "\n".join(line for line in text.split("\n") if f" {key} = " not in line)
        changes = {"don't say `designation`": without("designation"), "don't say `references`": without("references"),
                   "the pack demands one": lambda text: text.replace("United Nations", "none", 1),
                   "fingerprint is another one": lambda text: text.replace("any of ($brand*) and", "any of ($brand*) or", 1),
                   "`handling` isn't the pack's": without("handling"),
                   "syntax error": lambda text: text.replace("condition:", "condition", 1)}
        for complaint, change in changes.items():
            last, _ = self.check(self.copy("violent-extremism", "organisations.yar", change), code=1)
            self.assertTrue(any(complaint in told for told in last["complaints"]), (complaint, last["complaints"]))

    def test_samples_that_a_rule_fails_are_named(self):
        folder = self.copy("finance-crime", "payment-cards.yar")
        with open(os.path.join(folder, "samples/card_track_1/positive-none.txt"), "w", encoding="ascii") as file:
            file.write("nothing\n")
        shutil.copy(os.path.join(folder, "samples/card_track_2/positive.txt"), os.path.join(folder, "samples/card_track_2/negative-card.txt"))
        last, _ = self.check(folder, code=1)
        self.assertEqual(len(last["complaints"]), 2, last["complaints"])
        self.assertIn("positive-none.txt", last["complaints"][0])
        self.assertIn("negative-card.txt", last["complaints"][1])

    def pack_with(self, rule):
        folder = self.path("own")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "pack.json"), "w", encoding="ascii") as file:
            json.dump({"format": "exhibit-rule-pack/1", "name": "own", "version": "1", "purpose": "a test", "legal_basis": "none",
                       "licence": "none", "authors": ["test"]}, file)
        with open(os.path.join(folder, "own.yar"), "w", encoding="ascii") as file:
            file.write("rule harmless { condition: false }\n" + rule)
        return folder

    def test_a_rule_that_would_make_libyara_abort_is_named(self):
        last, rules = self.check(self.pack_with("rule deadly { strings: $a = { 31[-][8-][-]30 } condition: $a }"), code=1)
        self.assertEqual(rules, {})
        self.assertEqual(len(last["complaints"]), 1)
        self.assertIn('own.yar: 2: rule "deadly": string "$a"', last["complaints"][0])

    def test_a_rule_that_kills_the_compiler_is_named(self):
        worker = os.path.join(BIN, "hostile_worker")
        last, _ = self.check(self.pack_with("rule crash_here { condition: true }\nrule after { condition: true }"),
                             "--worker-program", worker, code=1)
        self.assertIn('rule "crash_here" kills', last["complaints"][0])

    def test_a_slow_rule_is_found_by_measuring(self):
        slow = "rule slow { strings: $a = /[a-z1-9]{20,200}[A-Z]{20,200}[0-9]{4}/ condition: $a }"
        last, rules = self.check(self.pack_with(slow), "--slow", "5", code=1)
        self.assertTrue(any("rule slow: is slow" in told for told in last["complaints"]), last["complaints"])
        self.assertGreater(rules["slow"]["milliseconds_per_mib"], rules["harmless"]["milliseconds_per_mib"])
        self.assertFalse(any("harmless: is slow" in told for told in last["complaints"]))

    def test_news_raises_no_alarm_and_a_release_in_its_midst_does(self):
        news_text.write(self.path("news"), 3 << 20)
        last, _ = self.check("violent-extremism", "--clean", self.path("news"))
        self.assertEqual(last["alarms"], [])
        self.assertGreater(last["clean_bytes"], 3 << 20)
        self.assertEqual(last["clean_unread"], 0)
        shutil.copy(positives("violent-extremism")[0], self.path("news"))
        last, rules = self.check("violent-extremism", "--clean", self.path("news"))
        self.assertEqual(len(last["alarms"]), 1)
        self.assertGreater(sum(rule["false_alarms_per_gib"] for rule in rules.values()), 0)


class Found(Scratch):
    def encodings(self, sample):
        with open(sample, encoding="utf-8") as file:
            text = file.read()
        language = os.path.basename(sample).removesuffix(".txt").split("-")[-1]
        found = {"utf8": text.encode(), "utf16le": text.encode("utf-16-le"), "utf16be": text.encode("utf-16-be"),
                 "base64": base64.b64encode(text.encode())}
        if language in PAGES:
            found["page"] = text.encode(PAGES[language])
        return found

    def test_every_positive_sample_in_every_encoding(self):
        image = self.fat(8 << 20)
        wanted = {}
        for number, sample in enumerate(positives("violent-extremism")):
            for encoding, data in self.encodings(sample).items():
                name = f"{number}-{encoding}.txt"
                self.put(image, name, data)
                wanted[name] = os.path.basename(os.path.dirname(sample))
        matches, _ = self.leads(image, "violent-extremism")
        found = {}
        for match in matches:
            found.setdefault(match["item"].split(":/")[1], set()).add(match["rule"])
            self.assertEqual((match["source"], match["category"], match["handling"]),
                             ("violent-extremism/organisations.yar", "violent-extremism", "restricted"))
        self.assertEqual({name: rule for name, rule in wanted.items() if rule not in found.get(name, ())}, {})
        self.assertGreater(len(wanted), 80)

    def test_in_deleted_files_slack_and_unallocated_space(self):
        image = self.fat(8 << 20)
        samples = [sample for sample in positives("violent-extremism") if os.path.basename(sample) in ("positive-ar.txt", "positive-ru.txt")]
        in_deleted, in_slack, in_unallocated = map(content, samples[:3])
        self.put(image, "short.txt", b"a short file")
        self.put(image, "gone.txt", in_deleted)
        subprocess.run(["mdel", "-i", image, "::gone.txt"], check=True)
        items = {item["path"]: item for item in lines(run("list", image, "--json", check=(0,)).stdout) if item["record"] == "item"}
        with open(image, "r+b") as file:
            file.seek(items["/short.txt"]["extents"][0][0] + 100)
            file.write(in_slack)
            file.seek((8 << 20) - 65536)
            file.write(in_unallocated)
        matches, records = self.leads(image, "violent-extremism")
        deleted = next(record for record in records if record["record"] == "item" and record["state"] == "deleted")
        self.assertIn(deleted["id"], {match["item"] for match in matches})
        self.assertEqual({match.get("region") for match in matches}, {None, "slack", "unallocated"})
        rules = {match.get("region"): match["rule"] for match in matches}
        self.assertEqual([rules[None], rules["slack"], rules["unallocated"]], [os.path.basename(os.path.dirname(one)) for one in samples[:3]])

    def test_data_matches_by_its_checksum_alone(self):
        image = self.fat(8 << 20)
        dump = "cvv\n4111111111111111|12|25|123\n5555555555554444|01|2027|321\n37828224631000{}|1|27|4321\n"
        self.put(image, "right.txt", dump.format(5).encode())
        self.put(image, "wrong.txt", dump.format(6).encode())
        self.put(image, "wide.txt", dump.format(5).encode("utf-16-le"))
        matches, _ = self.leads(image, "finance-crime")
        self.assertEqual({(match["item"].split(":/")[1], match["by"], match["rule"], match["feature"]) for match in matches},
                         {(name, "feature", "card_dump_lines", "luhn") for name in ("right.txt", "wide.txt")})
        wide = next(match for match in matches if match["item"].endswith("wide.txt"))
        self.assertEqual([(place["offset"], place["string"]) for place in wide["where"]], [(8, "$data"), (62, "$data"), (120, "$data")])

    def test_a_pack_is_an_input_with_its_version(self):
        image = self.fat(8 << 20)
        self.put(image, "a.txt", b"nothing")
        self.leads(image, os.path.join(EXTREMISM, "organisations.yar"))
        with open(self.path("case/log/case.json"), encoding="utf-8") as file:
            rules = [one for one in json.load(file)["inputs"] if one["kind"] == "yara"]
        with open(os.path.join(EXTREMISM, "organisations.yar"), "rb") as file:
            sha256 = hashlib.sha256(file.read()).hexdigest()
        self.assertEqual(rules, [{"kind": "yara", "name": "violent-extremism/organisations.yar", "version": "2026.11", "entries": 7,
                                  "digests": {"sha256": sha256}}])

    def test_a_feature_that_nobody_can_verify_is_refused(self):
        with open(self.path("r.yar"), "w", encoding="ascii") as file:
            file.write('rule r { meta: feature = "crystal ball" strings: $data = "x" condition: $data }')
        image = self.fat(8 << 20)
        done = run("match", image, "--rules", self.path("r.yar"))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b"crystal ball", done.stderr)


if __name__ == "__main__":
    unittest.main()
