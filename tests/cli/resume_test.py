"""A run that was cut off goes on, and ends with the bytes of one that was never disturbed."""
import contextlib, json, os, random, shutil, signal, subprocess, tempfile, time, unittest
from support import EXHIBIT, findings, run, unpack
from determinism_test import RULE


class Resume(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.image = unpack("images/fat_deleted_dir.raw.xz", self.folder.name, "drive.raw")
        self.rules = self.path("rules.yar")
        with open(self.rules, "w", encoding="ascii") as file:
            file.write(RULE)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def bytes_of(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def words(self, case):
        return ["process", self.image, "--case", self.path(case), "--rules", self.rules, "--jobs", "2"]

    def wait_until_begun(self, process, case):
        """Until the run has its journal, so that it listens to signals; or it has ended."""
        while process.poll() is None and not os.path.exists(self.path(case + "/work/journal.jsonl")):
            time.sleep(0.005)

    def test_kills_at_random_moments_change_nothing(self):
        begin = time.monotonic()
        run(*self.words("whole"), check=(0, 4))
        whole, seconds = findings(self.path("whole")), time.monotonic() - begin
        moments = random.Random(7)
        for attempt in range(4):
            case = f"cut{attempt}"
            for _ in range(3):
                process = subprocess.Popen([EXHIBIT, *self.words(case)], stderr=subprocess.DEVNULL)
                time.sleep(moments.uniform(0, seconds))
                process.kill()
                process.wait()
            run(*self.words(case), check=(0, 4))
            self.assertEqual(findings(self.path(case)), whole)

    def test_a_journal_that_was_cut_in_a_line_or_lost_a_file_is_mended(self):
        run(*self.words("whole"), check=(0, 4))
        whole = findings(self.path("whole"))
        journal = self.path("whole/work/journal.jsonl")
        with open(journal, "r+b") as file:
            file.truncate(os.path.getsize(journal) - 20)
        for name in os.listdir(self.path("whole/work")):
            if ".sweep." in name and name.endswith(".jsonl"):
                with open(self.path("whole/work/" + name), "ab") as file:
                    file.write(b'{"record":"item"')
        run(*self.words("whole"), check=(0, 4))
        self.assertEqual(findings(self.path("whole")), whole)

    def test_what_a_power_cut_leaves_behind_is_done_again(self):
        """Files whose size reached the disk and whose bytes didn't, files that lost their tail or their name."""
        run(*self.words("whole"), check=(0, 4))
        whole, blocks = findings(self.path("whole")), self.bytes_of("whole/log/E1.blocks")

        def with_zeros(path, begin, end):
            with open(path, "r+b") as file:
                file.seek(begin)
                file.write(bytes(end - begin))

        outputs = sorted(name for name in os.listdir(self.path("whole/work")) if name.endswith(".jsonl"))
        outputs.remove("journal.jsonl")
        self.assertGreater(len(outputs), 4)
        lines = self.bytes_of("whole/work/journal.jsonl").splitlines(keepends=True)
        length = sum(map(len, lines))
        journals = {"sound": lambda path: None,
                    "tail of zeros": lambda path: with_zeros(path, length - len(lines[-1]) - len(lines[-2]) // 2, length),
                    "zeros in between": lambda path: with_zeros(path, len(lines[0]), len(lines[0]) + len(lines[1])),
                    "first line of zeros": lambda path: with_zeros(path, 0, len(lines[0])),
                    "zeros alone": lambda path: with_zeros(path, 0, length),
                    "lost": os.remove}
        damages = [lambda path: with_zeros(path, 0, os.path.getsize(path)),
                   lambda path: with_zeros(path, os.path.getsize(path) // 2, os.path.getsize(path)),
                   lambda path: os.truncate(path, os.path.getsize(path) // 2),
                   lambda path: os.truncate(path, 0),
                   os.remove,
                   lambda path: None]
        for number, (name, damage_journal) in enumerate(journals.items()):
            with self.subTest(journal=name):
                case = f"cut-{number}"
                shutil.copytree(self.path("whole"), self.path(case))
                for i, output in enumerate(outputs):
                    damages[(i + number) % len(damages)](self.path(f"{case}/work/{output}"))
                damage_journal(self.path(f"{case}/work/journal.jsonl"))
                os.remove(self.path(f"{case}/findings/E1.jsonl"))
                os.truncate(self.path(f"{case}/log/E1.blocks"), 0)
                run(*self.words(case), check=(0, 4))
                self.assertEqual(findings(self.path(case)), whole)
                self.assertEqual(self.bytes_of(f"{case}/log/E1.blocks"), blocks)

    def seal(self, case):
        return run("seal", self.path(case), "--export-to-sign", self.path("to-sign"))

    def test_a_log_that_a_power_cut_left_torn_takes_the_next_run(self):
        run(*self.words("whole"), check=(0, 4))
        log = self.path("whole/log/runs.jsonl")
        first = self.bytes_of("whole/log/runs.jsonl")
        with open(log, "ab") as file:
            file.write(first[:100] + bytes(50))
        refused = self.seal("whole")
        self.assertEqual(refused.returncode, 3, refused.stderr)
        self.assertIn(b"log/runs.jsonl: line 2 was cut off", refused.stderr)
        self.assertIn(b"log/runs.jsonl: its last line was cut off", run(*self.words("whole"), check=(0, 4)).stderr)
        told = self.bytes_of("whole/log/runs.jsonl").splitlines()
        self.assertEqual(told[0] + b"\n", first)
        self.assertEqual([line for line in told if b"\0" in line], [])
        for line in told:
            self.assertIn("arguments", json.loads(line))
        self.assertEqual(len(told), 2)

    def test_a_damaged_line_of_the_log_is_not_sealed_over(self):
        run(*self.words("whole"), check=(0, 4))
        log = self.path("whole/log/runs.jsonl")
        first = self.bytes_of("whole/log/runs.jsonl")
        for damage in (b"{" + first[2:], b'{"exit_status":0}\n', bytes(20) + b"\n"):
            with open(log, "wb") as file:
                file.write(first + damage)
            run(*self.words("whole"), check=(0, 4))
            self.assertEqual(self.bytes_of("whole/log/runs.jsonl")[:len(first + damage)], first + damage)
            refused = self.seal("whole")
            self.assertEqual(refused.returncode, 3, refused.stderr)
            self.assertIn(b"log/runs.jsonl: line 2 doesn't tell of a run", refused.stderr)
            self.assertFalse(os.path.exists(self.path("whole/manifest.json")))
        with open(log, "wb") as file:
            file.write(first)
        self.assertNotIn(b"runs.jsonl", self.seal("whole").stderr)  # whatever else it may ask for

    def test_a_worker_that_is_killed_from_outside_costs_nothing(self):
        run(*self.words("whole"), check=(0, 4))
        killed = 0
        for attempt in range(3):
            process = subprocess.Popen([EXHIBIT, *self.words(f"killed{attempt}")], stderr=subprocess.DEVNULL)
            self.wait_until_begun(process, f"killed{attempt}")
            time.sleep(0.1 * attempt)
            children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True)
            for child in children.stdout.split()[:1]:
                with contextlib.suppress(ProcessLookupError):  # a worker may end by itself in between
                    os.kill(int(child), signal.SIGKILL)
                    killed += 1
            self.assertIn(process.wait(), (0, 4))
            self.assertEqual(findings(self.path(f"killed{attempt}")), findings(self.path("whole")))
        self.assertGreater(killed, 0)

    def test_an_interrupt_stops_in_order_and_the_run_goes_on(self):
        begin = time.monotonic()
        run(*self.words("whole"), check=(0, 4))
        whole, seconds = findings(self.path("whole")), time.monotonic() - begin
        stopped = 0
        for attempt in range(4):
            process = subprocess.Popen([EXHIBIT, *self.words(f"stopped{attempt}")], stderr=subprocess.PIPE)
            time.sleep(seconds * (attempt + 1) / 6)
            process.send_signal(signal.SIGINT)
            told = process.communicate()[1]
            self.assertIn(process.returncode, (0, 4, 5, -signal.SIGINT))  # before it listens, a signal ends it
            if process.returncode == 5:
                stopped += 1
                self.assertIn(b"the same command goes on from here", told)
            run(*self.words(f"stopped{attempt}"), check=(0, 4))
            self.assertEqual(findings(self.path(f"stopped{attempt}")), whole)
        self.assertGreater(stopped, 0)

    def test_a_full_disk_stops_the_run_and_room_lets_it_go_on(self):
        run(*self.words("whole"), check=(0, 4))
        os.mkdir(self.path("small"))
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", self.path("small")], check=True)
        self.addCleanup(subprocess.run, ["umount", self.path("small")], check=True)
        words = self.words("small/case")
        done = run(*words)
        self.assertEqual(done.returncode, 5, done.stderr)
        self.assertIn(b"No space left", done.stderr)
        subprocess.run(["mount", "-o", "remount,size=50m", self.path("small")], check=True)
        run(*words, check=(0, 4))
        self.assertEqual(findings(self.path("small/case")), findings(self.path("whole")))

    def test_other_inputs_are_refused_by_name(self):
        process = subprocess.Popen([EXHIBIT, *self.words("changed")], stderr=subprocess.DEVNULL)
        self.wait_until_begun(process, "changed")
        process.send_signal(signal.SIGINT)
        self.assertIn(process.wait(), (0, 4, 5))
        with open(self.rules, "a", encoding="ascii") as file:
            file.write("rule other { condition: false }\n")
        done = run(*self.words("changed"))
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"changed: inputs", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
