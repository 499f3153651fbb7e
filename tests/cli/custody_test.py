"""Profiles and the custody ledger: what a case must tell, who says so, and that nothing of it can be changed unnoticed."""
import base64, hashlib, hmac, json, os, pty, re, select, shutil, subprocess, sys, tempfile, unittest
from support import EXHIBIT, lines, run

HERE = os.path.dirname(os.path.abspath(__file__))
SAMPLES = os.path.join(HERE, "..", "..", "samples")
sys.path.insert(0, os.path.join(HERE, "..", "independent"))
from authority import Authority
from bign import belt_hash
from make_case import canonical

ZERO = "0" * 64


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def rhash_streebog(data):
    done = subprocess.run(["rhash", "--gost12-256", "--simple", "-"], input=data, capture_output=True, check=True)
    return bytes.fromhex(done.stdout.split()[0].decode())


def sample(name):
    return os.path.join(SAMPLES, "custody", name + ".json")


def told(name):
    with open(sample(name), encoding="utf-8") as file:
        return json.load(file)


class Custody(unittest.TestCase):
    """One drive, received, copied and processed under two profiles; each test has a copy of its case."""

    @classmethod
    def setUpClass(cls):
        cls.base = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.base.cleanup)
        cls.authority = Authority(os.path.join(cls.base.name, "pki"))
        cls.authority.issue("officer", "signer_extensions")
        cls.image = os.path.join(cls.base.name, "drive.raw")
        subprocess.run(["bash", os.path.join(SAMPLES, "make_drive.sh"), cls.image], check=True)
        cls.ready = os.path.join(cls.base.name, "ready")
        for event in ("received", "acquired"):
            cls.add(cls.ready, event, "--profile", "ru,by", "--from", sample(event), check=(0,))
        run("process", cls.image, "--case", cls.ready, "--number", "17/2024", "--authority", "order 1 of 2024-05-01", "--examiner", "A. Examiner",
            "--profile", "ru,by", "--case-fields", sample("case"), check=(0, 4))

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.case = self.path("case")
        shutil.copytree(self.ready, self.case)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, content):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(content if isinstance(content, str) else json.dumps(content))
        return self.path(name)

    @classmethod
    def keys(cls, signer):
        return "--key", str(cls.authority.path(signer + ".key")), "--cert", str(cls.authority.path(signer + ".pem"))

    @classmethod
    def add(cls, case, event, *more, signer="signer", check=None):
        return run("custody", "add", case, "--event", event, *cls.keys(signer), *more, check=check)

    def tell(self, event, form, signer="signer", check=(0,)):
        """Adds an event; its receipt."""
        done = self.add(self.case, event, "--from", self.write("event.json", form), signer=signer, check=check)
        return lines(done.stdout)[0] if done.returncode == 0 else done

    def seal(self, *more, check=(0,)):
        return run("seal", self.case, *self.keys("signer"), *more, check=check)

    def verify(self, *more):
        done = run("verify", self.case, "--trust", str(self.authority.trust), "--json", *more)
        self.checks = lines(done.stdout)
        return done.returncode

    def failures(self):
        return {check["check"] for check in self.checks if check.get("status") == "FAILED"}

    def manifest(self):
        with open(os.path.join(self.case, "manifest.json"), encoding="utf-8") as file:
            return json.load(file)

    def ledger(self):
        with open(os.path.join(self.case, "custody.jsonl"), "rb") as file:
            return file.read().splitlines()

    def set_ledger(self, entries):
        with open(os.path.join(self.case, "custody.jsonl"), "wb") as file:
            file.write(b"".join(line + b"\n" for line in entries))

    def signed(self, entry, signer="officer"):
        entry = {key: value for key, value in entry.items() if key != "signature"}
        return canonical({**entry, "signature": base64.b64encode(self.authority.sign(canonical(entry), signer)).decode()})

    # ---- profiles

    def test_each_profile_shows_every_field_in_three_languages(self):
        for name in ("int", "ru", "by"):
            words = {}
            for language in ("ru", "be", "en"):
                rules, *fields = lines(run("profile", "show", name, "--language", language, check=(0,)).stdout)
                self.assertEqual((rules["profile"], rules["version"]), (name, "1"))
                words[language] = {(field["where"], field["field"]): field["label"] for field in fields}
                for field in fields:
                    self.assertRegex(field["mark"], r"^(-|(RUN|SRC|2ND|K)(/(RUN|SRC|2ND|K))*)$")
                    self.assertTrue(field["source"])
            self.assertEqual(words["ru"].keys(), words["be"].keys())
            differing = sum(words["ru"][key] != words["be"][key] for key in words["ru"])
            self.assertEqual(differing, len(words["ru"]))
        self.assertEqual(run("profile", "show", "su").returncode, 2)
        self.assertEqual(run("profile", "show", "ru", "--language", "de").returncode, 2)

    def test_the_demonstration_is_complete_under_all_three(self):
        for profile in ("int", "ru", "by", "ru,by"):
            done = run("profile", "check", self.case, "--profile", profile)
            self.assertEqual((done.returncode, lines(done.stdout)), (0, [{"complete": True, "missing": 0}]), profile)
        self.seal()
        self.assertEqual(self.verify(), 0, self.checks)
        names = {(check["check"], check["subject"]) for check in self.checks if check.get("status") == "ok"}
        self.assertLessEqual({("profile digests", "profile ru"), ("profile digests", "profile by"), ("required fields", "case")}, names)
        case = self.manifest()["case"]
        signatures = {check["subject"]: check["status"] for check in self.checks if check.get("check") == "profile signatures"}
        self.assertEqual(signatures, {"profile ru": "not checked", "profile by": "not checked"}, "nobody signed by a national suite")
        done = run("profile", "check", self.case)
        self.assertEqual((done.returncode, [one.get("missing_signature") for one in lines(done.stdout)]), (1, ["ru", "by", None]))
        self.assertEqual(run("profile", "check", self.case, "--profile", "int").returncode, 0)
        self.assertEqual((case["profile"], case["profile_versions"]), ("ru,by", {"ru": "1", "by": "1"}))
        self.assertNotIn("incomplete", case)

    def test_a_joint_case_has_both_nations_trees(self):
        self.seal()
        claim = self.manifest()["evidence"][0]["findings"]
        self.assertEqual(set(claim["trees"]), {"sha256", "streebog256", "belt256"})
        self.assertLessEqual({"sha256", "streebog256", "belt256"}, set(claim["digests"]))
        self.assertEqual(claim["trees"]["streebog256"], self.root(rhash_streebog))
        self.assertEqual(claim["trees"]["belt256"], self.root(belt_hash))
        self.assertEqual(self.verify(), 0, self.checks)
        recomputed = {check["detail"].split(" ")[0] for check in self.checks if check.get("check") == "tree"}
        self.assertEqual(recomputed, {"sha256", "streebog256", "belt256"})

    def root(self, digest):
        """RFC 9162 over the findings' lines and their salts."""
        def node(leaves):
            if len(leaves) == 1:
                return leaves[0]
            split = 1 << (len(leaves) - 1).bit_length() - 1
            return digest(b"\1" + node(leaves[:split]) + node(leaves[split:]))

        with open(os.path.join(self.case, "secret", "E1.salts"), "rb") as file:
            key = file.read()
        with open(os.path.join(self.case, "findings", "E1.jsonl"), "rb") as file:
            records = file.read().splitlines()
        salts = [hmac.digest(key, b"exhibit-salt" + i.to_bytes(8, "big"), "sha256") for i in range(len(records))]
        return node([digest(b"\0" + salt + line) for salt, line in zip(salts, records)]).hex()

    def test_what_is_missing_is_named_and_not_sealed(self):
        os.remove(os.path.join(self.case, "custody.jsonl"))
        done = self.seal(check=(3,))
        self.assertIn("ru,by: source_medium (event:received)", done.stderr.decode())
        self.assertIn("exhibit: ru: means_warned (event:acquired)", done.stderr.decode())
        self.assertFalse(os.path.exists(os.path.join(self.case, "manifest.json")))
        self.assertFalse(os.path.exists(os.path.join(self.case, "custody.jsonl")), "a refused sealing leaves no events")
        checked = run("profile", "check", self.case)
        missing = lines(checked.stdout)
        self.assertEqual(checked.returncode, 1)
        self.assertFalse(missing[-1]["complete"])
        self.assertEqual(missing[-1]["missing"], len(missing) - 1)
        self.assertEqual(next(one for one in missing if one["missing"] == "write_blocker")["number"], 15)

    def test_sealed_incomplete_for_a_reason_that_the_manifest_tells(self):
        os.remove(os.path.join(self.case, "custody.jsonl"))
        self.assertEqual(self.seal("--incomplete", " ", check=None).returncode, 2)
        self.seal("--incomplete", "the ledger is on paper")
        incomplete = self.manifest()["case"]["incomplete"]
        self.assertEqual(incomplete["reason"], "the ledger is on paper")
        self.assertIn({"key": "write_blocker", "where": "event:acquired", "profiles": ["ru", "by"], "evidence": "E1"}, incomplete["missing"])
        self.assertEqual(self.verify(), 0)
        fields = next(check for check in self.checks if check["check"] == "required fields")
        self.assertEqual(fields["status"], "not checked")
        self.assertIn("the ledger is on paper", fields["detail"])
        self.assertEqual(run("profile", "check", self.case).returncode, 1)

    def test_none_because_is_a_value_and_an_empty_text_is_not(self):
        with open(os.path.join(self.case, "log", "case.json"), encoding="utf-8") as file:
            stored = json.load(file)
        del stored["case"]["method"]
        self.write("case/log/case.json", stored)
        for bad in ({"method": ""}, {"method": {"none": ""}}, {"method": None}, {"methods": "x"}, {"received": "x"}, {"received": {"x": 1}},
                    {"method": {"version": 1.5}}, [1]):
            done = self.seal("--case-fields", self.write("more.json", bad), check=(3,))
            self.assertFalse(os.path.exists(os.path.join(self.case, "manifest.json")), done.stderr)
        self.seal("--case-fields", self.write("more.json", {"method": {"none": "no method is laid down"}}))
        self.assertEqual(self.manifest()["case"]["method"], {"none": "no method is laid down"})
        self.assertEqual(self.seal("--incomplete", "too late", check=None).returncode, 2)

    def test_each_exhibit_is_received(self):
        shutil.copy(os.path.join(self.case, "findings", "E1.jsonl"), os.path.join(self.case, "findings", "E2.jsonl"))
        done = run("profile", "check", self.case, "--profile", "int")
        lacking = {(one["missing"], one["evidence"]) for one in lines(done.stdout)[:-1]}
        self.assertIn(("source_medium", "E2"), lacking)
        self.assertEqual({evidence for _, evidence in lacking}, {"E2"})

    # ---- the ledger

    def test_from_receipt_to_return_with_two_sides(self):
        self.seal()
        self.tell("transferred", told("transferred"))
        state = lines(run("custody", "show", self.case, check=(0,)).stdout)[-1]
        self.assertEqual(state["open_transfers"], [{"seq": 5, "evidence": ["E1"]}])
        self.assertIn({"open_transfer": 5, "evidence": ["E1"]}, lines(run("profile", "check", self.case, "--profile", "int", check=(0,)).stdout))
        self.assertEqual(self.verify(), 0)
        self.assertEqual(next(check for check in self.checks if check["check"] == "open transfers")["status"], "not checked")
        self.assertEqual(self.tell("accepted", told("accepted"), check=(2,)).returncode, 2, "by the side that handed over")
        self.assertEqual(len(self.ledger()), 5)
        receipt = self.tell("accepted", told("accepted"), signer="officer")
        self.tell("returned", {"actor": {"name": "B. Officer", "role": "investigator"}, "place": "court", "evidence": ["E1"],
                               "detail": {"returned_to": "the owner", "packing": {"none": "returned open"}}}, signer="officer")
        self.assertEqual(self.verify("--ledger-head", receipt["head"]), 0, self.checks)
        self.assertFalse([check for check in self.checks if check.get("check") == "open transfers" and check["status"] != "ok"])
        events = [event.get("event") for event in lines(run("custody", "show", self.case, "--trust", str(self.authority.trust), check=(0,)).stdout)]
        self.assertEqual(events[:-1], ["received", "acquired", "processed", "sealed", "transferred", "accepted", "returned"])
        for event in map(json.loads, self.ledger()):
            self.assertRegex(event["detail"]["local_time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d[+-]\d\d:\d\d$", event["event"])
            self.assertTrue(event["detail"]["time_zone"])

    def test_a_correction_answers_a_mistake(self):
        entry = told("received")
        del entry["detail"]["storage"]
        entry["evidence"] = ["E1"]
        done = self.add(self.case, "received", "--from", self.write("event.json", entry), check=(0,))
        self.assertIn(b"storage (event:received, seq 3)", done.stderr)
        self.assertEqual(run("profile", "check", self.case).returncode, 1)
        who = {"name": "A. Examiner", "role": "examiner"}
        self.tell("corrected", {"actor": who, "detail": {"corrects": 3, "storage": "safe 2", "text": "left out"}})
        self.assertEqual(run("profile", "check", self.case).returncode, 0)
        for bad in (9, 5, 0, "3"):
            self.tell("corrected", {"actor": who, "detail": {"corrects": bad, "text": "nothing"}}, check=(3,))

    def test_a_local_time_stands_with_its_zone(self):
        who = {"actor": {"name": "A", "role": "examiner"}}
        self.tell("reviewed", {**who, "detail": {"local_time": "2024-07-15T10:05+03:00", "time_zone": "Europe/Minsk"}})
        event = json.loads(self.ledger()[-1])
        self.assertEqual(event["time"], "2024-07-15T07:05:00Z")
        for detail in ({"local_time": "2024-07-15T10:05+03:00"}, {"local_time": "2024-07-15T10:05+02:00", "time_zone": "Europe/Minsk"},
                       {"local_time": "2024-07-15 10:05", "time_zone": "Europe/Minsk"}, {"local_time": "2024-02-30T10:05+03:00", "time_zone": "Europe/Minsk"},
                       {"time_zone": "Europe/Nowhere"}, {"time_zone": "../../etc/passwd"}, {"begun": "ten", "time_zone": "Europe/Minsk"}):
            self.assertIn(self.tell("reviewed", {**who, "detail": detail}, check=(2, 3)).returncode, (2, 3), detail)
        for form in ({**who, "time": "2024-07-15T10:05:00Z", "detail": {"local_time": "2024-07-15T10:05+03:00", "time_zone": "Europe/Minsk"}},
                     {**who, "time": "2199-01-01T00:00:00Z"}, {"actor": {"name": "", "role": "examiner"}}, {**who, "evidence": ["E 1"]},
                     {**who, "detail": {"text": ""}}, {**who, "clock": 1}, {**who, "detail": {"clock_offset": 0.4}}, {}):
            self.assertIn(self.tell("reviewed", form, check=(2, 3)).returncode, (2, 3), form)
        self.assertEqual(len(self.ledger()), 3)
        self.assertEqual(self.add(self.case, "lost", "--from", sample("received")).returncode, 2)
        self.assertEqual(self.add(self.case, "reviewed").returncode, 2, "without a terminal and without --from")

    def test_a_person_is_asked_in_the_profiles_language(self):
        answers = ["Minsk", "Europe/Minsk", "noon", "", "E 1/2", "E1", "Минск, ул. Лабораторная, 1", "А. Эксперт", "эксперт", "", "Б. Сотрудник", "передал", "",
                   "накопитель, № 5", "", "none: выключен", "none: ", "none: в пакете без пломб", "Б. Сотрудник", "исследование", "сейф 2", ""]
        case = self.path("new")
        screen = self.converse(["custody", "add", case, "--event", "received", "--profile", "ru", *self.keys("signer")], answers)
        self.assertIn("Кто действует: фамилия, имя, отчество *:", screen)
        self.assertIn("Место и условия хранения, ответственный *:", screen)
        self.assertIn("обязательно", screen)
        self.assertIn("knows no time zone 'Minsk'", screen)
        self.assertIn("no id like E1: 1/2", screen)
        with open(os.path.join(case, "custody.jsonl"), encoding="utf-8") as file:
            event = json.loads(file.read())
        self.assertEqual(event["detail"]["live_state"], {"none": "выключен"})
        self.assertEqual(event["detail"]["packing"], {"none": "в пакете без пломб"})
        self.assertEqual(event["participants"], [{"name": "Б. Сотрудник", "role": "передал"}])
        self.assertEqual(event["evidence"], ["E1"])
        self.assertRegex(event["detail"]["local_time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d\+03:00$")
        head = sha256(canonical(event))
        self.assertIn(head, re.sub(r"\s", "", screen), "the receipt, in groups")

    def converse(self, words, answers):
        """Runs exhibit at a terminal; each answer is given when a question stands."""
        process, terminal = pty.fork()
        if process == 0:
            os.execv(EXHIBIT, [EXHIBIT, *words])
        screen, left = b"", list(answers)
        while True:
            ready, _, _ = select.select([terminal], [], [], 60)
            self.assertTrue(ready, screen.decode(errors="replace"))
            try:
                piece = os.read(terminal, 65536)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            screen += piece
            if screen.endswith(b": ") and left:
                os.write(terminal, left.pop(0).encode() + b"\n")
        _, status = os.waitpid(process, 0)
        self.assertEqual(os.waitstatus_to_exitcode(status), 0, screen.decode())
        self.assertFalse(left, screen.decode())
        return screen.decode()

    # ---- tampering; each with the checks that must fail

    def test_every_tampering_of_a_ledger_is_noticed(self):
        self.seal()
        self.tell("transferred", told("transferred"))
        receipt = self.tell("accepted", told("accepted"), signer="officer")
        good = self.ledger()
        self.assertEqual(self.verify("--ledger-head", receipt["head"]), 0, self.checks)
        entries = [json.loads(line) for line in good]

        def edited(index, change, resign=None):
            entry = json.loads(good[index])
            change(entry)
            return self.signed(entry, resign) if resign else canonical(entry)

        def appended(lines, resign="officer", **changes):
            """One more event by a trusted person, chained and signed."""
            entry = {**entries[-1], "seq": len(lines) + 1, "previous": sha256(lines[-1]), "event": "reviewed", "detail": {"text": "more"}, **changes}
            entry["actor"] = {**entry["actor"], "credential": "CN=Laboratory " + resign, **changes.get("actor", {})}
            return lines + [self.signed(entry, resign)]

        swapped = good[:4] + [good[5], good[4]]
        signer_accepts = {"event": "accepted", "detail": {"transfer": 5}, "evidence": ["E1"]}
        tamperings = {
            "truncated before the seal": (good[:3], {"ledger head"}),
            "truncated after the seal": (good[:5], {"ledger receipt"}),
            "emptied": ([], {"ledger head", "ledger receipt"}),
            "reordered": (swapped, {"ledger chain"}),
            "an event inserted": (good[:2] + [good[1]] + good[2:], {"ledger chain"}),
            "an event left out": (good[:1] + good[2:], {"ledger chain"}),
            "altered": (good[:4] + [edited(4, lambda e: e.update(place="elsewhere"))] + good[5:], {"ledger signature", "ledger chain"}),
            "altered last event": (good[:5] + [edited(5, lambda e: e.update(place="elsewhere"))], {"ledger signature", "ledger receipt"}),
            "altered and signed anew in another's name": (good[:5] + [edited(5, lambda e: e.update(place="x"), "signer")],
                                                          {"ledger credentials", "ledger receipt", "ledger transfers"}),
            "forked before the seal": (appended(good[:3]), {"ledger head"}),
            "forked after the seal": (appended(good[:5]), {"ledger receipt"}),
            "a seq left out": (appended(good, seq=8), {"ledger chain"}),
            "a seq twice": (appended(good, seq=6), {"ledger chain"}),
            "a wrong previous": (appended(good, previous=sha256(good[0])), {"ledger chain"}),
            "a correction of a later event": (appended(good, event="corrected", detail={"corrects": 8}), {"ledger form"}),
            "a correction of itself": (appended(good, event="corrected", detail={"corrects": 7}), {"ledger form"}),
            "an acceptance without a transfer": (appended(good, event="accepted", detail={"transfer": 1}), {"ledger transfers"}),
            "an acceptance that names none": (appended(good, event="accepted", detail={"text": "taken"}), {"ledger transfers"}),
            "a transfer accepted twice": (appended(good, event="accepted", detail={"transfer": 5}), {"ledger transfers"}),
            "an acceptance by the same side": (appended(good[:5], "signer", **signer_accepts), {"ledger transfers", "ledger receipt"}),
            "an acceptance of another exhibit": (appended(good[:5], **{**signer_accepts, "evidence": ["E2"]}),
                                                 {"ledger transfers", "ledger receipt"}),
            "an event of the future": (appended(good, time="2199-01-01T00:00:00Z"), {"ledger times"}),
            "an acceptance before its transfer": (appended(good[:5], **signer_accepts, time="2001-01-01T00:00:00Z"),
                                                  {"ledger transfers", "ledger receipt"}),
            "an unknown event": (appended(good, event="lost"), {"ledger form"}),
            "a signature of another event": (good[:5] + [edited(5, lambda e: e.update(signature=entries[4]["signature"]))],
                                             {"ledger signature", "ledger receipt"}),
            "no signature": (good[:5] + [edited(5, lambda e: e.update(signature=""))], {"ledger signature", "ledger receipt"}),
            "not canonical": (good[:5] + [good[5].replace(b",", b", ", 1)], {"ledger form", "ledger receipt"}),
        }
        for name, (changed, expected) in tamperings.items():
            with self.subTest(name):
                self.set_ledger(changed)
                self.assertEqual(self.verify("--ledger-head", receipt["head"]), 1, name)
                self.assertLessEqual(expected, self.failures(), self.checks)
        with self.subTest("cut in the middle of a line"):
            with open(os.path.join(self.case, "custody.jsonl"), "wb") as file:
                file.write(b"\n".join(good)[:-9])
            self.assertEqual(self.verify(), 1)
            self.assertNotEqual(self.add(self.case, "reviewed", "--from", sample("accepted")).returncode, 0)
            self.assertEqual(run("custody", "show", self.case).returncode, 1)
        with self.subTest("removed"):
            os.remove(os.path.join(self.case, "custody.jsonl"))
            self.assertEqual(self.verify("--ledger-head", receipt["head"]), 1)
            self.assertLessEqual({"ledger", "ledger receipt"}, self.failures())

    def test_a_receipt_is_taken_as_paper_has_it(self):
        self.seal()
        receipt = self.tell("transferred", told("transferred"))
        grouped = " ".join(receipt["head"][i:i + 8] for i in range(0, 64, 8)).upper()
        self.assertEqual(self.verify("--ledger-head", grouped), 0)
        self.assertEqual(self.verify("--head-from", self.write("receipt", json.dumps(receipt) + "\n")), 0)
        self.assertEqual(run("verify", self.case, "--ledger-head", "abcd").returncode, 2)
        self.assertEqual(run("verify", self.case, "--head-from", self.write("nothing", "{}\n")).returncode, 3)
        self.assertEqual(self.verify("--ledger-head", ZERO), 1)
        self.assertEqual(run("custody", "show", self.case, "--ledger-head", ZERO).returncode, 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
