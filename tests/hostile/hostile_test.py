"""A worker that turns hostile costs its object a problem, and nothing else anything.

The image holds well-behaved files and files whose names make tests/hostile/hostile_worker misbehave. The same image is
processed by the real worker and by the hostile one; all that may differ is what is said of the hostile objects.
"""
import gzip, json, os, subprocess, sys, tempfile, unittest, zipfile

BIN = sys.argv.pop(1) if len(sys.argv) > 1 else "build/bin"
KINDS = {"crash": "crash", "hang": "timeout", "eat": "memory-limit", "breakout": "crash", "garble": "crash",
         "forge": "crash", "slander": "crash", "double": "crash", "deep": "crash", "flood": "crash", "miscount": "crash", "quit": "crash", "walkcrash": "crash", "walkhang": "timeout"}


def run(*words, **options):
    return subprocess.run(words, capture_output=True, text=True, timeout=280, **options)


def records(case):
    with open(os.path.join(case, "findings", "E1.jsonl"), encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


class HostileWorkers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        base = cls.folder.name
        cls.image = os.path.join(base, "drive.raw")
        subprocess.run(["truncate", "-s", "4M", cls.image], check=True)
        subprocess.run(["mkfs.fat", "-F", "12", cls.image], check=True, capture_output=True)
        for number, name in enumerate(list(KINDS) + [f"good{i}" for i in range(40)]):
            path = os.path.join(base, name + ".txt")
            with open(path, "w", encoding="ascii") as out:
                out.write(f"{name} {number}\n" * 50)
            subprocess.run(["mcopy", "-i", cls.image, path, "::" + name + ".txt"], check=True)
        cls.good = os.path.join(base, "good")
        cls.bad = os.path.join(base, "bad")
        cls.good_run = run(f"{BIN}/exhibit", "process", cls.image, "--case", cls.good)
        cls.bad_run = run(f"{BIN}/exhibit", "process", cls.image, "--case", cls.bad, "--worker-program", f"{BIN}/hostile_worker",
                          "--object-seconds", "3", "--memory", "600M", "--jobs", "2")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_the_run_ends_with_problems_and_not_otherwise(self):
        self.assertEqual(self.good_run.returncode, 0, self.good_run.stderr)
        self.assertEqual(self.bad_run.returncode, 4, self.bad_run.stderr)

    def test_each_hostile_object_is_a_problem_that_names_it(self):
        problems = {record["where"].rsplit("/", 1)[1].split(".")[0].lower(): record for record in records(self.bad)
                    if record["record"] == "problem"}
        self.assertEqual(sorted(problems), sorted(KINDS))
        for name, cause in KINDS.items():
            self.assertEqual(problems[name]["cause"], cause, problems[name])
            self.assertEqual(problems[name]["stage"], "walk" if name.startswith("walk") else "hash")
        self.assertIn("seal", problems["breakout"]["detail"])

    def test_nothing_else_is_lost(self):
        def rest(case):
            return [record for record in records(case) if record["record"] in ("volume", "item", "match")
                    and not any(name in record.get("path", "").lower() for name in KINDS)]
        self.assertEqual(rest(self.bad), rest(self.good))
        self.assertGreaterEqual(len(rest(self.bad)), 40)

    def test_the_hostile_objects_are_listed_without_digests(self):
        items = [record for record in records(self.bad) if record["record"] == "item"
                 and any(name + ".txt" in record["path"].lower() for name in KINDS)]
        self.assertEqual(len(items), len([name for name in KINDS if not name.startswith("walk")]))
        self.assertFalse([item for item in items if "digests" in item])

    def test_maps_that_hang_cost_the_volume_one_problem_and_coverage_stays(self):
        worker = os.path.join(self.folder.name, "hang-over-maps")
        os.symlink(os.path.abspath(f"{BIN}/hostile_worker"), worker)
        case = os.path.join(self.folder.name, "maps")
        done = run(f"{BIN}/exhibit", "process", self.image, "--case", case, "--worker-program", worker, "--object-seconds", "1")
        self.assertEqual(done.returncode, 4, done.stderr)
        problems = [record for record in records(case) if record["record"] == "problem"]
        self.assertEqual([(record["where"], record["cause"]) for record in problems], [("E1/p0", "timeout")])
        for coverage in [record for record in records(case) if record["record"] == "coverage"]:
            self.assertEqual(sum(coverage["bytes"].values()), os.path.getsize(self.image))

    def test_an_account_that_a_walk_dies_of_is_made_apart(self):
        worker = os.path.join(self.folder.name, "crash-on-accounts")
        os.symlink(os.path.abspath(f"{BIN}/hostile_worker"), worker)
        case = os.path.join(self.folder.name, "accounts")
        done = run(f"{BIN}/exhibit", "process", self.image, "--case", case, "--worker-program", worker)
        self.assertEqual(done.returncode, 4, done.stderr)
        def split(lines):
            return ([record for record in lines if record["record"] != "problem"],
                    [(record["where"], record["stage"], record["cause"]) for record in lines if record["record"] == "problem"])
        died = [("E1/p0", "walk", "crash")]
        self.assertEqual(split(records(case)), (records(self.good), died))
        def listed(*words):
            return [json.loads(line) for line in run(f"{BIN}/exhibit", "list", self.image, "--json", *words).stdout.splitlines()]
        self.assertEqual(split(listed("--worker-program", worker)), (listed(), died))

    def test_what_was_not_searched_does_not_count_as_carved(self):
        worker = os.path.join(self.folder.name, "crash-on-stretches")
        os.symlink(os.path.abspath(f"{BIN}/hostile_worker"), worker)
        case = os.path.join(self.folder.name, "unsearched")
        done = run(f"{BIN}/exhibit", "process", self.image, "--case", case, "--worker-program", worker)
        self.assertEqual(done.returncode, 1, done.stderr)  # nor was the medium read whole
        def carved(of):
            return [record["examined"]["carved"] for record in records(of) if record["record"] == "coverage"]
        self.assertTrue(all(carved(self.good)), carved(self.good))
        self.assertFalse(any(carved(case)), carved(case))

    def test_content_that_was_changed_on_the_way_is_not_saved(self):
        worker, out = os.path.join(self.folder.name, "taint-contents"), os.path.join(self.folder.name, "out")
        os.symlink(os.path.abspath(f"{BIN}/hostile_worker"), worker)
        packed = os.path.join(self.folder.name, "packed.raw")
        with open(packed, "wb") as file:
            file.write(gzip.compress(bytes(range(256)) * 48))
        subprocess.run(["truncate", "-s", "64K", packed], check=True)
        words = [f"{BIN}/exhibit", "carve", packed, "--types", "gz", "--out", out]
        honest = run(*words)
        self.assertEqual((honest.returncode, len(os.listdir(out))), (0, 1), honest.stderr)
        os.remove(os.path.join(out, os.listdir(out)[0]))
        done = run(*words, "--worker-program", worker)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("digests aren't those that were told", done.stderr)
        self.assertEqual(os.listdir(out), [])

    def test_nothing_forged_came_through(self):
        self.assertFalse([record for record in records(self.bad) if "forged" in json.dumps(record)])


class MemoryThatRunsOut(unittest.TestCase):
    """A folder that is too much for a worker's memory: it ends at each next object, whichever was passed over."""

    def test_the_walk_is_given_up_and_says_so(self):
        with tempfile.TemporaryDirectory() as base:
            image, case = os.path.join(base, "drive.raw"), os.path.join(base, "case")
            subprocess.run(["truncate", "-s", "4M", image], check=True)
            subprocess.run(["mkfs.fat", "-F", "12", image], check=True, capture_output=True)
            for name in ["early"] + [f"walkeat{i:02}" for i in range(40)]:
                path = os.path.join(base, name)
                with open(path, "w", encoding="ascii") as out:
                    out.write(name)
                subprocess.run(["mcopy", "-i", image, path, "::" + name], check=True)
            done = run(f"{BIN}/exhibit", "process", image, "--case", case, "--worker-program", f"{BIN}/hostile_worker",
                       "--memory", "256M", "--jobs", "1")
            self.assertEqual(done.returncode, 4, done.stderr)
            found = records(case)
            problems = [record for record in found if record["record"] == "problem"]
            self.assertEqual({(record["stage"], record["cause"]) for record in problems}, {("walk", "memory-limit")})
            self.assertLess(len(problems), 10)
            self.assertEqual([record["detail"].split(" at ")[0] for record in problems if record["where"] == "E1/p0"], ["given up"])
            self.assertIn("/early", [record["path"] for record in found if record["record"] == "item"])
            for coverage in [record for record in found if record["record"] == "coverage"]:
                self.assertEqual(sum(coverage["bytes"].values()), os.path.getsize(image))


class HostileMembers(unittest.TestCase):
    """The same in an archive: the members on which a worker dies are told, and so are all others."""

    def test_each_hostile_member_costs_itself(self):
        kinds = [name for name in KINDS if not name.startswith("walk")]
        with tempfile.TemporaryDirectory() as base:
            image, archive = os.path.join(base, "drive.raw"), os.path.join(base, "a.zip")
            subprocess.run(["truncate", "-s", "4M", image], check=True)
            subprocess.run(["mkfs.fat", "-F", "12", image], check=True, capture_output=True)
            with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
                for number, name in enumerate([f"good{i}" for i in range(5)] + kinds + [f"better{i}" for i in range(5)]):
                    out.writestr(name + ".txt", f"{name} {number}\n" * 50)
            subprocess.run(["mcopy", "-i", image, archive, "::a.zip"], check=True)
            told = {}
            for name, words in (("good", []), ("bad", ["--worker-program", f"{BIN}/hostile_worker", "--object-seconds", "3", "--memory", "600M"])):
                done = run(f"{BIN}/exhibit", "process", image, "--case", os.path.join(base, name), "--jobs", "2", *words)
                self.assertEqual(done.returncode, 0 if name == "good" else 4, done.stderr)
                told[name] = records(os.path.join(base, name))
        items = {name: {record["id"].rpartition("!/")[2]: record for record in told[name] if record.get("state") == "member"} for name in told}
        problems = {record["where"].rpartition("!/")[2].removesuffix(".txt"): (record["cause"], record["stage"])
                    for record in told["bad"] if record["record"] == "problem"}
        self.assertEqual(problems, {name: (KINDS[name], "expand") for name in kinds})
        self.assertEqual(items["bad"].keys(), items["good"].keys())
        for name, item in items["good"].items():
            if name.removesuffix(".txt") in kinds:
                self.assertNotIn("digests", items["bad"][name])
            else:
                self.assertEqual(items["bad"][name], item)


if __name__ == "__main__":
    unittest.main(verbosity=2)
