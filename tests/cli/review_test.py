"""Review: what people say of leads stands in the ledger; restricted content isn't given out without a word."""
import hashlib, json, os, pty, select, shutil, subprocess, tempfile, unittest
from support import EXHIBIT, findings, lines, run

RULES = '''rule plain { meta: category = "test" strings: $a = "plain marker" condition: $a }
rule secret { meta: category = "test" handling = "restricted" strings: $a = "secret marker" condition: $a }
'''


class Review(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.base.cleanup)
        cls.keys = {}
        for name in ("ann", "bob"):
            key, certificate = (os.path.join(cls.base.name, name + end) for end in (".key", ".pem"))
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                            "-subj", "/CN=" + name, "-keyout", key, "-out", certificate, "-addext", "keyUsage=critical,digitalSignature"],
                           check=True, capture_output=True)
            cls.keys[name] = ("--key", key, "--cert", certificate)
        cls.image = os.path.join(cls.base.name, "fat.img")
        with open(cls.image, "wb") as file:
            file.truncate(4 << 20)
        subprocess.run(["mkfs.fat", cls.image], check=True, capture_output=True)
        for name, text in (("plain.txt", "a plain marker"), ("hidden name.txt", "a secret marker"), ("none.txt", "nothing")):
            with open(os.path.join(cls.base.name, "content"), "w", encoding="ascii") as file:
                file.write(text)
            subprocess.run(["mcopy", "-i", cls.image, file.name, "::" + name], check=True)
        with open(os.path.join(cls.base.name, "r.yar"), "w", encoding="ascii") as file:
            file.write(RULES)
        cls.ready = os.path.join(cls.base.name, "ready")
        run("process", cls.image, "--case", cls.ready, "--number", "1", "--authority", "order", "--examiner", "E", "--carve", "off",
            "--rules", file.name, check=(0,))

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.case = self.path("case")
        shutil.copytree(self.ready, self.case)
        self.ids = {json.loads(line)["rule"]: hashlib.sha256(line).hexdigest()
                    for line in findings(self.case).splitlines() if json.loads(line)["record"] == "match"}

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def form(self, *reviews, **more):
        with open(self.path("form.json"), "w", encoding="utf-8") as file:
            json.dump({"actor": {"name": "A. Person", "role": "examiner"}, "place": "laboratory",
                       "detail": {**({"reviews": reviews} if reviews else {}), **more}}, file)
        return file.name

    def say(self, who, lead, verdict, why="looked at it", check=(0,)):
        return run("review", self.case, "--from", self.form({"lead": lead, "verdict": verdict, "why": why}), *self.keys[who], check=check)

    def leads(self, *filters):
        return {lead["match"]["rule"]: lead for lead in lines(run("review", self.case, *filters, "--json", check=(0,)).stdout)}

    def events(self):
        with open(os.path.join(self.case, "custody.jsonl"), encoding="utf-8") as file:
            return lines(file.read())

    def test_a_lead_is_named_by_its_lines_digest_and_open_at_first(self):
        leads = self.leads()
        self.assertEqual({rule: lead["lead"] for rule, lead in leads.items()}, self.ids)
        self.assertEqual({lead["state"] for lead in leads.values()}, {"open"})
        self.assertEqual((leads["plain"]["persons_required"], leads["secret"]["persons_required"]), (1, 2))

    def test_a_verdict_is_a_signed_event_that_verify_checks(self):
        self.say("ann", self.ids["plain"][:8], "dismissed", "a test's file")
        event = self.events()[-1]
        self.assertEqual((event["event"], event["evidence"]), ("reviewed", ["E1"]))
        self.assertEqual(event["detail"]["reviews"], [{"lead": self.ids["plain"], "verdict": "dismissed", "why": "a test's file"}])
        lead = self.leads()["plain"]
        self.assertEqual((lead["state"], lead["settled"], lead["reviews"][0]["name"]), ("dismissed", True, "A. Person"))
        self.assertEqual(lines(run("custody", "show", self.case, "--json", check=(0,)).stdout)[-1]["sound"], True)

    def test_two_persons_where_the_profile_asks_for_them(self):
        self.say("ann", self.ids["secret"], "confirmed")
        self.say("ann", self.ids["secret"], "confirmed")
        self.assertFalse(self.leads()["secret"]["settled"])
        self.say("bob", self.ids["secret"], "dismissed")
        self.assertEqual(self.leads()["secret"]["state"], "disputed")
        self.say("bob", self.ids["secret"], "confirmed", "was wrong before")
        lead = self.leads()["secret"]
        self.assertEqual((lead["state"], lead["settled"], len(lead["reviews"])), ("confirmed", True, 4))

    def test_what_is_corrected_counts_for_nothing(self):
        self.say("ann", self.ids["plain"], "confirmed")
        run("custody", "add", self.case, "--event", "corrected", "--from", self.form(corrects=1, text="the wrong lead"), *self.keys["ann"], check=(0,))
        self.assertEqual(self.leads()["plain"]["state"], "open")

    def test_filters(self):
        self.say("ann", self.ids["plain"], "needs expert")
        self.assertEqual(set(self.leads("--state", "open")), {"secret"})
        self.assertEqual(set(self.leads("--state", "needs expert")), {"plain"})
        self.assertEqual(set(self.leads("--rule", "sec")), {"secret"})
        self.assertEqual(set(self.leads("--item", "hidden")), {"secret"})
        self.assertEqual(set(self.leads("--by", "hashset")), set())

    def test_what_is_no_review_is_refused_and_leaves_no_event(self):
        for lead, verdict, why in (("0" * 64, "confirmed", "why"), (self.ids["plain"][:4], "confirmed", "why"),
                                   (self.ids["plain"], "guilty", "why"), (self.ids["plain"], "confirmed", " ")):
            self.assertNotEqual(self.say("ann", lead, verdict, why, check=None).returncode, 0, (lead, verdict, why))
        self.assertFalse(os.path.exists(os.path.join(self.case, "custody.jsonl")))

    def at_terminal(self, *conversation):
        """Answers each text as it is shown."""
        master, slave = pty.openpty()
        process = subprocess.Popen([EXHIBIT, "review", self.case, *self.keys["ann"]], stdin=slave, stdout=subprocess.DEVNULL, stderr=slave)
        os.close(slave)
        shown = b""
        try:
            for text, answer in conversation:
                while text not in shown:
                    ready, _, _ = select.select([master], [], [], 60)
                    self.assertTrue(ready, f"{text} isn't shown: {shown}")
                    shown += os.read(master, 4096)
                shown = shown.split(text, 1)[1]
                os.write(master, answer.encode() + b"\n")
            while os.read(master, 4096):
                pass
        except OSError:  # the other end is closed
            pass
        self.assertEqual(process.wait(60), 0)
        os.close(master)

    WALK = ((b"1 of 2", "n"), (b"2 of 2", "p"), (b"1 of 2", "d"), (b"why", "seen at a terminal"))

    def test_one_by_one_at_a_terminal(self):
        self.at_terminal(*self.WALK, (b"2 of 2", "q"), (b"Time zone", "Europe/Minsk"), (b"Local time", ""), (b"Evidence", ""), (b"Place", ""),
                         (b"full name", "Ann Example"), (b"Role", "examiner"), (b"Organisation", ""), (b"participant", ""), (b"else", ""))
        dismissed = [lead for lead in self.leads().values() if lead["state"] == "dismissed"]
        self.assertEqual([(lead["reviews"][0]["name"], lead["reviews"][0]["why"]) for lead in dismissed], [("Ann Example", "seen at a terminal")])

    def test_who_leaves_said_nothing(self):
        self.at_terminal(*self.WALK, (b"2 of 2", "x"))
        self.assertFalse(os.path.exists(os.path.join(self.case, "custody.jsonl")))

    def test_restricted_content_is_given_out_with_a_word_only(self):
        items = {item["path"]: item["id"] for item in lines(findings(self.case)) if item["record"] == "item"}
        plain, secret = items["/plain.txt"], items["/hidden name.txt"]
        self.assertEqual(run("cat", self.image, "--item", plain, "--case", self.case, check=(0,)).stdout, b"a plain marker")
        refused = run("cat", self.image, "--item", secret, "--case", self.case, check=(3,))
        self.assertEqual(refused.stdout, b"")
        self.assertIn(b"--acknowledge", refused.stderr)
        shown = run("cat", self.image, "--item", secret, "--case", self.case, "--acknowledge", "--from", self.form(reason="to decide"),
                    *self.keys["ann"], check=(0,))
        self.assertEqual(shown.stdout, b"a secret marker")
        event = self.events()[-1]
        self.assertEqual((event["event"], event["detail"]["acknowledged"]), ("reviewed", [self.ids["secret"]]))
        mount = run("mount", self.image, self.folder.name, "--case", self.case, check=(3,))
        self.assertIn(b"--acknowledge", mount.stderr)

    def test_a_set_of_abuse_material_restricts_like_a_rule(self):
        with open(self.path("list.txt"), "w", encoding="ascii") as file:
            file.write(hashlib.sha256(b"nothing").hexdigest() + "\n")
        run("hashset", "build", file.name, "-o", self.path("set.xhs"), "--class", "notable", "--restricted", check=(0,))
        self.assertEqual(json.loads(run("hashset", "info", self.path("set.xhs"), "--json", check=(0,)).stdout)["handling"], "restricted")
        case = self.path("other")
        run("process", self.image, "--case", case, "--number", "2", "--authority", "order", "--examiner", "E", "--carve", "off",
            "--hashset", self.path("set.xhs"), check=(0,))
        records = lines(findings(case))
        item = next(record["id"] for record in records if record.get("path") == "/none.txt")
        self.assertEqual([record["handling"] for record in records if record["record"] == "match"], ["restricted"])
        self.assertEqual(run("cat", self.image, "--item", item, "--case", case, check=(3,)).stdout, b"")

    def test_a_report_without_paths_or_counts_says_so(self):
        for form in ("csv", "html", "dfxml", "case"):
            whole = run("report", self.case, "--to", form, check=(0,)).stdout
            self.assertIn(b"hidden name", whole)
            redacted = run("report", self.case, "--to", form, "--redact", "paths,counts", check=(0,)).stdout
            for text in (b"hidden name", b"secret"):
                self.assertNotIn(text, redacted, form)
            self.assertIn(b"plain.txt", redacted)
            self.assertIn(b"this report leaves out", redacted, form)
            paths = run("report", self.case, "--to", form, "--redact", "paths", check=(0,)).stdout
            self.assertNotIn(b"hidden name", paths)
            self.assertIn(b"secret", paths)


if __name__ == "__main__":
    unittest.main()
