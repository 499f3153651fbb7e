"""list | hash - | match - finds what process finds."""
import os, shutil, tempfile, unittest
from support import CORPORA, findings, lines, run, unpack
from determinism_test import RULE


class Pipeline(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.rules = os.path.join(self.folder.name, "rules.yar")
        with open(self.rules, "w", encoding="ascii") as file:
            file.write(RULE)
        self.sets = os.path.join(CORPORA, "hashsets", "known.sha256")
        self.image = unpack("images/con-p-gptfat.raw.xz", self.folder.name, "drive.raw")

    def matching(self):
        return ("--hashset", self.sets, "--rules", self.rules)

    def test_the_pipe_gives_the_digests_and_matches_of_process(self):
        case = os.path.join(self.folder.name, "case")
        run("process", self.image, "--case", case, "--carve", "off", "--expand", "off", *self.matching(), check=(0, 4))
        listed = run("list", self.image, check=(0, 4)).stdout
        hashed = run("hash", "-", stdin=listed, check=(0, 4)).stdout
        matched = run("match", "-", *self.matching(), stdin=hashed, check=(0, 4)).stdout

        def chosen(data):
            records = [record for record in lines(data) if record["record"] in ("item", "match")]
            return [{key: value for key, value in record.items()} for record in records]
        self.assertTrue([record for record in chosen(matched) if record["record"] == "match" and "region" in record])
        self.assertEqual(chosen(matched), chosen(findings(case)))

    def test_a_pipe_in_the_image_s_folder_names_no_folder(self):
        listed = run("list", "drive.raw", cwd=self.folder.name, check=(0, 4)).stdout
        self.assertNotIn(self.folder.name.encode(), listed)
        hashed = run("hash", "-", stdin=listed, cwd=self.folder.name, check=(0, 4)).stdout
        self.assertTrue([record for record in lines(hashed) if "digests" in record])

    def test_what_a_verb_does_not_know_passes_through(self):
        listed = run("list", "drive.raw", cwd=self.folder.name, check=(0, 4)).stdout
        marked = listed.replace(b'{"content"', b'{"aaa_note":{"by":"me"},"content"')
        hashed = lines(run("hash", "-", stdin=marked, cwd=self.folder.name, check=(0, 4)).stdout)
        items = [record for record in hashed if record["record"] == "item"]
        self.assertTrue(items)
        self.assertTrue(all(item["aaa_note"] == {"by": "me"} for item in items))

    def test_a_chosen_part_is_hashed_alone(self):
        listed = run("list", "drive.raw", "--state", "deleted", cwd=self.folder.name, check=(0, 4)).stdout
        hashed = lines(run("hash", "-", stdin=listed, cwd=self.folder.name, check=(0, 4)).stdout)
        self.assertEqual({record["state"] for record in hashed if record["record"] == "item"}, {"deleted"})
        self.assertFalse([record for record in hashed if record["record"] == "coverage"])

    def test_a_listing_accounts_for_its_items(self):
        def coverage(verb):
            return [record["bytes"] for record in lines(run(verb, self.image, check=(0, 4)).stdout) if record["record"] == "coverage"]
        listed = coverage("list")
        self.assertGreater(listed[-1]["slack"], 0)
        self.assertEqual(listed, coverage("hash"))

    def test_a_hash_set_alone_needs_no_image(self):
        hashed = run("hash", self.image, check=(0, 4)).stdout
        os.rename(self.image, self.image + ".away")
        records = lines(run("match", "-", "--hashset", self.sets, stdin=hashed, check=(0, 4)).stdout)
        self.assertTrue([record for record in records if record["record"] == "item"])

    def test_a_line_that_is_no_record_is_refused_by_its_number(self):
        done = run("hash", "-", stdin=b'{"record":"source","evidence":"E1","path":"x"}\n{"record":"item","id":3}\n')
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"line 2", done.stderr)

    def test_every_verb_s_help_asks_for_nothing_else(self):
        for verb in ("info", "list", "cat", "hash", "carve", "expand", "match", "process", "seal", "verify", "doctor", "profile", "custody"):
            done = run(verb, "--help", check=(0,))
            self.assertIn(b"usage: exhibit " + verb.encode(), done.stdout)

    def test_cat_gives_the_content_that_was_hashed(self):
        import hashlib
        hashed = lines(run("hash", self.image, check=(0, 4)).stdout)
        for item in [record for record in hashed if record["record"] == "item" and "digests" in record][:12]:
            content = run("cat", self.image, "--item", item["id"], check=(0,)).stdout
            self.assertEqual(hashlib.sha256(content).hexdigest(), item["digests"]["sha256"], item["id"])
        self.assertEqual(run("cat", self.image, "--item", "E1/p9/i4:/nothing").returncode, 3)


if __name__ == "__main__":
    unittest.main(verbosity=2)
