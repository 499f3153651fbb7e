"""Encrypted volumes and volumes in volumes as a user meets them: named without a key, read with one, and told apart
where the key is wrong. What lies within is what independent tools found (truth files)."""
import hashlib, json, os, struct, subprocess, tempfile, unittest, zlib
from support import CORPORA, INCOMPLETE, findings, lines, make_keys, run, unpack

LUKS = (("images/con-p-luks1.luks.xz", "con-luks1-p", "luks1"), ("images/con-p-luks2.luks.xz", "con-luks2-p", "luks2"))
SECRET = "correct horse p"


def truth(image):
    with open(os.path.join(CORPORA, "truth", image + ".jsonl"), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


class Unlock(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name
        cls.right, cls.wrong = cls.key("right", SECRET + "\n"), cls.key("wrong", "correct horse\n")
        cls.images = {image: unpack(path, cls.folder) for path, image, _ in LUKS}

    @classmethod
    def key(cls, name, secret):
        path = os.path.join(cls.folder, name)
        with open(path, "wb") as file:
            file.write(secret if isinstance(secret, bytes) else secret.encode())
        return path

    def unlock(self, path, volume="E1/p0", kind="password"):
        return "--unlock", f"{volume}={kind}:file:{path}"

    def test_items_are_those_of_the_truth(self):
        for _, image, transform in LUKS:
            with self.subTest(image):
                records = lines(run("hash", self.images[image], *self.unlock(self.right), "--json", check={0}).stdout)
                volume, = [r for r in records if r["record"] == "volume" and r["id"] == "E1/p0/luks"]
                self.assertEqual((volume["parent"], volume["kind"], volume["transform"], volume["unlocked_by"]),
                                 ("E1/p0", "encrypted", transform, "password"))
                found = {r["path"].strip("/"): r for r in records if r["record"] == "item"}
                checked = 0
                for line in truth(image):
                    if line["rec"] == "file" and "sha256" in line and line["alloc"]:
                        self.assertEqual(found[line["path"]]["digests"]["sha256"], line["sha256"])
                        checked += 1
                self.assertGreater(checked, 2)
                for coverage in [r for r in records if r["record"] == "coverage"]:
                    size = next(r["size"] for r in records if r.get("id") == coverage["where"])
                    self.assertEqual(sum(coverage["bytes"].values()), size)

    def test_without_a_key_and_with_a_wrong_one(self):
        for _, image, _ in LUKS:
            for options, said in (((), "give its key"), (self.unlock(self.wrong), "it is not the key")):
                records = lines(run("list", self.images[image], *options, "--json", check={4}).stdout)
                problem, = [r for r in records if r["record"] == "problem"]
                self.assertEqual((problem["where"], problem["cause"]), ("E1/p0", "encrypted"))
                self.assertIn(said, problem["detail"])
                layer = next(r["layer"] for r in records if r["record"] == "volume")
                self.assertIn(layer["id"], problem["detail"])

    def test_what_cryptsetup_wrote(self):
        """Sectors and ciphers beyond the corpora's, encrypted where the file system lay by cryptsetup itself."""
        content, tree = b"by cryptsetup\n" * 9000, os.path.join(self.folder, "cryptsetup")
        os.mkdir(tree)
        with open(os.path.join(tree, "file"), "wb") as file:
            file.write(content)
        image = os.path.join(self.folder, "cryptsetup.img")
        for options in (("--sector-size", "4096"), ("--cipher", "aes-cbc-essiv:sha256", "--key-size", "256"),
                        ("--cipher", "aes-cbc-plain64", "--key-size", "128", "--sector-size", "2048"),
                        ("--pbkdf", "argon2i", "--pbkdf-memory", "1024", "--pbkdf-parallel", "2")):
            with self.subTest(options), open(image, "wb") as file:
                file.truncate(24 << 20)
                subprocess.run(["mke2fs", "-q", "-F", "-b", "4096", "-d", tree, image, "4096"], check=True)
                kdf = () if "--pbkdf" in options else ("--pbkdf", "pbkdf2")
                rounds = "4" if "--pbkdf" in options else "1000"
                subprocess.run(["cryptsetup", "reencrypt", "-q", "--encrypt", "--type", "luks2", "--reduce-device-size", "8M", *kdf,
                                "--pbkdf-force-iterations", rounds, *options, "--key-file", self.wrong, image], check=True)
                records = lines(run("hash", image, *self.unlock(self.wrong, kind="key-file"), "--json", check={0}).stdout)
                item, = [r for r in records if r["record"] == "item" and r["path"] == "/file"]
                self.assertEqual(item["digests"]["sha256"], hashlib.sha256(content).hexdigest())

    def test_cat_and_the_pipe(self):
        image = self.images["con-luks2-p"]
        done = run("cat", image, "--item", "E1/p0/luks/i15:/passwords.txt", *self.unlock(self.right), check={0})
        expected = next(line["sha256"] for line in truth("con-luks2-p") if line.get("path") == "passwords.txt")
        self.assertEqual(hashlib.sha256(done.stdout).hexdigest(), expected)
        run("cat", image, "--item", "E1/p0/luks/i15:/passwords.txt", check={3})
        listed = run("list", image, *self.unlock(self.right), "--json", check={0}).stdout
        piped = run("hash", "-", *self.unlock(self.right), "--json", stdin=listed, check={0}).stdout
        self.assertEqual(piped, run("hash", image, *self.unlock(self.right), "--json", check={0}).stdout)

    def test_a_case_names_the_kind_of_key_and_never_the_key(self):
        image, case = self.images["con-luks1-p"], os.path.join(self.folder, "case")
        run("process", image, "--case", case, *self.unlock(self.right), check={0, 4})
        volume, = [r for r in lines(findings(case)) if r.get("id") == "E1/p0/luks" and r["record"] == "volume"]
        self.assertEqual(volume["unlocked_by"], "password")
        for folder, _, names in os.walk(case):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    data = file.read()
                self.assertNotIn(SECRET.encode(), data, name)
                self.assertNotIn(hashlib.sha256(SECRET.encode()).hexdigest().encode(), data, name)
        key, certificate, authority = make_keys(self.folder)
        run("seal", case, "--key", key, "--cert", certificate, *INCOMPLETE, check={0, 1})
        with_key = run("verify", case, "--evidence", "E1=" + image, "--trust", authority, *self.unlock(self.right)).stdout.decode()
        self.assertIn("3 items read again by their extents", with_key)
        self.assertNotIn("FAILED", with_key)
        without = run("verify", case, "--evidence", "E1=" + image, "--trust", authority).stdout.decode()
        self.assertIn("its volume is encrypted", without)
        self.assertNotIn("FAILED", without)

    def test_what_the_option_refuses(self):
        image = self.images["con-luks1-p"]
        for word in ("E1/p0=password:file:", "E1/p0=password:" + SECRET, "E1=password:file:x", "E1/p0=pin:file:x"):
            done = run("list", image, "--unlock", word, check={2})
            self.assertIn(b"--unlock", done.stderr)
        self.assertIn(b"no such volume", run("list", image, *self.unlock(self.right, "E1/p7"), check={3}).stderr)
        self.assertIn(b"no such evidence", run("list", image, *self.unlock(self.right, "E2/p0"), check={3}).stderr)
        run("list", image, *self.unlock(os.path.join(self.folder, "missing")), check={3})
        run("list", image, *self.unlock(self.key("empty", "\n")), check={3})

    def test_a_recovery_key_in_the_text_that_windows_writes(self):
        unlock = next(line for line in truth("bitlk-togo-aes-cbc-128") if line.get("kind") == "recovery_password")
        text = "BitLocker Drive Encryption recovery key\r\n\r\nRecovery Key:\r\n\r\n\t" + unlock["secret"] + "\r\n"
        path = self.key("recovery.txt", b"\xff\xfe" + text.encode("utf-16-le"))
        image = unpack("images/bitlk-togo-aes-cbc-128.img.xz", self.folder)
        records = lines(run("info", image, *self.unlock(path, kind="recovery-key"), "--json", check={0}).stdout)
        volume, = [r for r in records if r.get("id") == "E1/p0/bitlocker"]
        self.assertEqual((volume["filesystem"]["id"], volume["unlocked_by"]), ("168C-33E6", "recovery-key"))

    def test_damaged_headers_end_as_problems(self):
        for name in sorted(os.listdir(os.path.join(CORPORA, "corrupt/luks"))):
            image = unpack("corrupt/luks/" + name, self.folder)
            records = lines(run("list", image, *self.unlock(self.right), "--json", check={4}).stdout)
            self.assertTrue([r for r in records if r["record"] == "problem" and r["where"] == "E1/p0"], name)


def png(seed):
    """A picture of noise that a carver can check to its end."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows, state = b"", seed
    for _ in range(64):
        rows += b"\0"
        for _ in range(64):
            state = (state * 1103515245 + 12345) & 0x7fffffff
            rows += bytes([state >> 16 & 255])
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class Nesting(unittest.TestCase):
    """A GPT within LUKS within a GPT's partition: each level is told, walked and carved."""
    MiB = 1 << 20

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name
        tree = os.path.join(cls.folder, "tree")
        os.mkdir(tree)
        cls.content = b"seen through two tables and a cipher\n" * 1000
        with open(os.path.join(tree, "file.txt"), "wb") as file:
            file.write(cls.content)
        cls.picture = png(7)
        cls.key = os.path.join(cls.folder, "key")
        with open(cls.key, "w", encoding="ascii") as file:
            file.write("between us")
        inner, locked = cls.table("inner.raw", 24, 9), os.path.join(cls.folder, "locked")
        subprocess.run(["mke2fs", "-q", "-F", "-b", "1024", "-d", tree, "-E", f"offset={cls.MiB}", inner, "8m"], check=True)
        with open(inner, "r+b") as file:
            file.seek(5 * cls.MiB)  # within the file system, in a block that nothing holds
            file.write(cls.picture)
        # qemu-img measures how quick this machine is, and gives up where its clock is too coarse for once.
        command = ["qemu-img", "convert", "-q", "--object", "secret,id=key,data=between us", "-O", "luks",
                   "-o", "key-secret=key,iter-time=10", inner, locked]
        if not any(subprocess.run(command, capture_output=True).returncode == 0 for _ in range(50)):
            raise unittest.SkipTest("qemu-img can't make LUKS here")
        cls.drive = cls.table("drive.raw", 40, 2 + os.path.getsize(locked) // cls.MiB)
        with open(cls.drive, "r+b") as file, open(locked, "rb") as source:
            file.seek(cls.MiB)
            file.write(source.read())
        cls.unlock = "--unlock", f"E1/p1=password:file:{cls.key}"

    @classmethod
    def table(cls, name, mebibytes, end):
        """A medium with one partition, from its first mebibyte to `end`."""
        path = os.path.join(cls.folder, name)
        with open(path, "wb") as file:
            file.truncate(mebibytes * cls.MiB)
        subprocess.run(["sgdisk", "-n", f"1:2048:{end * 2048 - 1}", path], check=True, capture_output=True)
        return path

    def test_every_level_is_told(self):
        records = lines(run("hash", self.drive, *self.unlock, "--json", check={0}).stdout)
        volumes = {r["id"]: r for r in records if r["record"] == "volume"}
        self.assertEqual([volumes[i]["parent"] for i in ("E1/p1", "E1/p1/luks", "E1/p1/luks/p1")], ["E1", "E1/p1", "E1/p1/luks"])
        self.assertEqual(volumes["E1/p1/luks"]["layer"], {"type": "gpt"})
        self.assertEqual((volumes["E1/p1/luks/p1"]["offset"], volumes["E1/p1/luks/p1"]["filesystem"]["type"]), (self.MiB, "ext2"))
        item, = [r for r in records if r["record"] == "item" and r["path"] == "/file.txt"]
        self.assertEqual(item["digests"]["sha256"], hashlib.sha256(self.content).hexdigest())
        for coverage in [r for r in records if r["record"] == "coverage"]:
            size = next(r["size"] for r in records if r.get("id") == coverage["where"])
            self.assertEqual(sum(coverage["bytes"].values()), size)

    def test_what_is_carved_within(self):
        out = os.path.join(self.folder, "carved")
        records = lines(run("carve", self.drive, *self.unlock, "--out", out, "--json", check={0}).stdout)
        item, = [r for r in records if r["record"] == "item" and r["signature"] == "png"]
        self.assertEqual((item["volume"], item["extents"]), ("E1/p1/luks/p1", [[4 * self.MiB, len(self.picture)]]))
        self.assertEqual(item["digests"]["sha256"], hashlib.sha256(self.picture).hexdigest())
        saved, = os.listdir(out)
        with open(os.path.join(out, saved), "rb") as file:
            self.assertEqual(file.read(), self.picture)

    @unittest.skipUnless(os.access("/dev/fuse", os.W_OK), "no FUSE here")
    def test_a_mount_shows_it(self):
        point = os.path.join(self.folder, "mount")
        os.mkdir(point)
        run("mount", self.drive, point, *self.unlock, check={0})
        try:
            with open(os.path.join(point, "p1.luks.p1", "file.txt"), "rb") as file:
                self.assertEqual(file.read(), self.content)
        finally:
            run("unmount", point, check={0})

    def test_findings_do_not_depend_on_workers(self):
        cases = [os.path.join(self.folder, f"case{jobs}") for jobs in (1, 3)]
        for case, jobs in zip(cases, ("1", "3")):
            run("process", self.drive, "--case", case, "--jobs", jobs, *self.unlock, check={0})
        self.assertEqual(findings(cases[0]), findings(cases[1]))
        carved = [r for r in lines(findings(cases[0])) if r["record"] == "coverage" and r["where"] == "E1/p1/luks/p1"][0]
        self.assertGreater(carved["examined"]["carved"], 6 * self.MiB)


class Snapshots(unittest.TestCase):
    """NTFS shadow copies: each told whole but for what the volume has as it was."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.image = os.path.join(folder.name, "vss.raw")
        subprocess.run(["qemu-img", "convert", "-O", "raw", os.path.join(CORPORA, "images/vsstest.qcow2"), cls.image], check=True)
        cls.records = lines(run("hash", cls.image, "--json", check={0, 4}).stdout)

    def test_stores_are_those_of_the_truth(self):
        found = {r["id"]: r for r in self.records if r["record"] == "volume" and r["kind"] == "snapshot"}
        stores = [line for line in truth("vss-plaso-2stores") if line["rec"] == "vss_store"]
        self.assertEqual(len(found), len(stores))
        for store in stores:
            layer = found[f"E1/p0/vss{store['n']}"]["layer"]
            self.assertEqual([layer["id"], layer["set_id"], layer["copy_id"]], [store["store_id"], store["set_id"], store["copy_id"]])

    def test_items_are_those_of_the_truth(self):
        items = {(r["volume"], r["path"].strip("/")): r for r in self.records if r["record"] == "item" and r["state"] == "allocated"}
        told = 0
        for line in truth("vss-plaso-2stores"):
            if line["rec"] != "file":
                continue
            volume = "E1/p0" if line["where"] == "current" else "E1/p0/" + line["where"]
            item = items.get((volume, line["path"]))
            if line["where"] != "current" and item is None:
                # As the volume has it: the same path, size and, where it is told, digest.
                now = items["E1/p0", line["path"]]
                self.assertEqual(now["size"], line["size"])
                self.assertFalse(line.get("differs_from_current", False), line["path"])
                item = now
            if "sha256" in line:
                self.assertEqual(item["digests"]["sha256"], line["sha256"], (volume, line["path"]))
                told += 1
        self.assertGreater(told, 4)

    def test_what_is_unchanged_is_counted(self):
        for coverage in [r for r in self.records if r["record"] == "coverage" and "/vss" in r["where"]]:
            self.assertGreater(coverage["unchanged"], 10)


if __name__ == "__main__":
    unittest.main()
