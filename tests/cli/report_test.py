"""Reports in other formats: judged by the tools of those formats, on real images and on names that a suspect chose."""
import base64, csv, hashlib, html.parser, io, json, os, re, shutil, subprocess, sys, tarfile, tempfile, unittest
import xml.etree.ElementTree as ElementTree
from support import BIN, CORPORA, EXHIBIT, lines, run, unpack

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "independent"))
import make_case
from verify import canonical

FORMATS = ("bodyfile", "case", "csv", "dfxml", "hashdeep", "html")
NOTICE = "A match is a lead for a person to examine; it is not a finding of fact."
DFXML = "{http://www.forensicswiki.org/wiki/Category:Digital_Forensics_XML}"
OURS = "{urn:exhibit:dfxml}"
HOSTILE = ["/'\"`quotes\"'.txt", "/new\nline\r.txt", "/control\x01\x1b[31m\x7f.txt", "/bad\ufffd.txt", "/gpj.\u202eexe",
           "/</script><script>alert(1)</script>", "/<img src=x onerror=alert(1)>", "/=cmd|'/c calc'!A0", "/a&b;c<d>", "/]]>", "/a|b|c", "/a,b;c\td",
           "/\u0441\u043f\u0440\u0430\u0432\u0430 \u045e\u0456.txt", "/\U0001f600 \ufffe \uffff", "/zero\u200bwidth\u2028line", "/\\u{202E}", "/..", "/%s%n"]
STREEBOG = "00112233445566778899aabbccddeeff" * 2


def openssl_digests(data):
    return {name: hashlib.new(name, data).hexdigest() for name in ("md5", "sha1", "sha256")}


def hostile_records(image):
    """The records of make_case.py, and an item for each of the names; all of them leads."""
    records = make_case.make_records(image)
    at = next(n for n, r in enumerate(records) if r["record"] == "match" and r["item"] == "E1/p1")
    start = make_case.START
    new = []
    for number, path in enumerate(HOSTILE):
        identity = f"E1/p1/i9{number:02}:{path}"
        item = {"record": "item", "id": identity, "volume": "E1/p1", "path": path, "content": identity.split(":")[0], "kind": "file",
                "state": "allocated", "size": 4, "digests": {**openssl_digests(image[start + 512 * number:start + 512 * number + 4]), "streebog256": STREEBOG},
                "extents": [[512 * number, 512]], "type": "=1+1", "times": {"modified": "=2+2", "accessed": "0000-01-01T00:00:00Z", "born": "2024-02-29T23:59:59.5Z"}}
        if "\ufffd" in path:
            item["path_raw"] = "L2JhZP8udHh0"  # "/bad", FF, ".txt"
        new += [item, {"record": "match", "item": identity, "by": "yara", "source": "-pack", "source_sha256": "ab" * 32, "rule": "@SUM(A1)</td>", "category": path,
                       "where": [{"offset": 1, "length": 2, "string": "$a"}]},
                {"record": "problem", "where": identity, "stage": "decode", "cause": "unsupported", "detail": path}]
    return records[:at] + new + records[at:]


def write_case(folder, records):
    """An unsealed case, of which nothing is there but what a report reads."""
    for part in ("findings", "log"):
        os.makedirs(os.path.join(folder, part))
    with open(os.path.join(folder, "findings/E1.jsonl"), "wb") as file:
        file.writelines(canonical(record) + b"\n" for record in records)
    with open(os.path.join(folder, "log/case.json"), "wb") as file:
        file.write(canonical({"case": {"number": "7</title>", "title": "=1+1", "profile": "int"}, "inputs": []}))
    with open(os.path.join(folder, "log/runs.jsonl"), "wb") as file:
        file.write(canonical({"tool": {"name": "exhibit", "version": "1", "libraries": {"tsk": "4"}}}) + b"\n")
    return folder


def reported(case, form, check=(0,)):
    return run("report", case, "--to", form, check=check).stdout


class Folder(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = temporary.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def corpus_docs(self, name):
        with tarfile.open(os.path.join(CORPORA, "docs", name)) as archive:
            archive.extractall(self.folder)


class HostileNames(Folder):
    def setUp(self):
        super().setUp()
        self.image = make_case.make_image()
        self.records = hostile_records(self.image)
        self.case = write_case(self.path("case"), self.records)
        self.items = [r for r in self.records if r["record"] == "item"]

    def test_every_format_is_the_same_twice_and_says_what_a_match_is(self):
        for form in FORMATS:
            first = reported(self.case, form)
            self.assertEqual(first, reported(self.case, form), form)
            self.assertIn(NOTICE, first.decode(errors="replace"), form)
            run("report", self.case, "--to", form, "-o", self.path("out"), check=(0,))
            with open(self.path("out"), "rb") as file:
                self.assertEqual(file.read(), first, form)

    def test_dfxml_is_valid_by_its_schema_and_its_runs_lead_to_the_content(self):
        self.corpus_docs("dfxml.tar.xz")
        data = reported(self.case, "dfxml")
        with open(self.path("case.dfxml"), "wb") as file:
            file.write(data)
        schema = self.path("dfxml-working-group+dfxml_schema/dfxml.xsd")
        judged = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", schema, self.path("case.dfxml")], capture_output=True, text=True)
        self.assertEqual(judged.returncode, 0, judged.stderr[-2000:])
        root = ElementTree.fromstring(data)
        objects = {each.get(OURS + "id"): each for each in root.iter(DFXML + "fileobject")}
        # U+0001, U+FFFE and the like can't stand in XML; the id stays one all the same.
        in_xml = str.maketrans({c: "\ufffd" for c in "\x01\x1b\ufffe\uffff"})
        self.assertEqual(set(objects), {r["id"].translate(in_xml) for r in self.items})
        checked = 0
        for item in self.items:
            entry = objects[item["id"].translate(in_xml)]
            if item["path"] != "/":
                self.assertEqual(entry.find(DFXML + "filename").text.split(":")[0], item["path"].translate(in_xml)[1:])
            if item["state"] != "allocated" or "extents" not in item or "sha256" not in item.get("digests", {}):
                continue
            content = b"".join(bytes(int(part.get("len"))) if part.get("fill") else self.image[int(part.get("img_offset")):int(part.get("img_offset")) + int(part.get("len"))]
                               for part in entry.iter(DFXML + "byte_run"))
            digests = {each.get("type"): each.text for each in entry.findall(DFXML + "hashdigest")}
            self.assertEqual(hashlib.sha256(content).hexdigest(), digests["SHA256"], item["id"])
            checked += 1
        self.assertGreater(checked, len(HOSTILE))
        other = [each for each in root.iter(DFXML + "hashdigest") if each.get("type") == "OTHER"]
        self.assertEqual({(each.get(OURS + "algorithm"), each.text) for each in other}, {("streebog256", STREEBOG)})
        self.assertEqual(len(list(root.iter(OURS + "lead"))), len([r for r in self.records if r["record"] == "match"]))
        self.assertEqual(len(list(root.iter(OURS + "problem"))), len([r for r in self.records if r["record"] == "problem"]))
        self.assertEqual(len(list(root.iter(OURS + "coverage"))), 3)

    def test_csv_comes_back_whole_and_no_cell_is_a_formula(self):
        text = reported(self.case, "csv").decode()
        rows = list(csv.reader(io.StringIO(text, newline="")))
        head, body = rows[0], rows[1:]
        self.assertEqual({len(row) for row in rows}, {len(head)})
        self.assertEqual(len(body), len([r for r in self.records if r["record"] in ("item", "match", "problem")]))
        self.assertEqual(text.count("\n"), text.count("\r\n"))
        self.assertEqual(text.count("\r\n"), len(rows), "a name broke a line")
        for row in body:
            for cell in row:
                self.assertNotRegex(cell, "^ *[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20]")
                self.assertNotRegex(cell, "[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
        back = {re.sub(r"\\u\{([0-9A-F]+)\}", lambda code: chr(int(code[1], 16)), row[head.index("path")]) for row in body if row[0] == "item"}
        self.assertEqual(back, {r["path"] for r in self.items})

    def test_html_has_no_script_nothing_from_elsewhere_and_shows_names_as_text(self):
        page = reported(self.case, "html").decode()

        class Reader(html.parser.HTMLParser):
            tags, texts, attributes = set(), [], []

            def handle_starttag(self, tag, attrs):
                self.tags.add(tag)
                self.attributes += attrs

            def handle_data(self, data):
                self.texts.append(data)

        reader = Reader()
        reader.feed(page)
        self.assertLessEqual(reader.tags, set("html head meta title style body h1 h2 h3 p table tr th td bdi code strong".split()))
        for name, value in reader.attributes:
            self.assertIn(name, ("lang", "charset", "http-equiv", "content", "name", "class", "scope"))
            self.assertNotRegex(value or "", r"https?:|javascript:|url\(")
        policy = next(v for n, v in reader.attributes if n == "content")
        style = re.search("<style>(.*)</style>", page, re.S)[1]
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        self.assertIn("default-src 'none'", policy)
        self.assertIn(f"style-src 'sha256-{digest}'", policy)
        self.assertNotRegex(page, "[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
        shown = "".join(reader.texts)
        self.assertIn("</script><script>alert(1)</script>", shown)
        self.assertIn("gpj.\\u{202E}exe", shown)

    def test_hashdeep_and_bodyfile_keep_a_file_to_a_line(self):
        known = reported(self.case, "hashdeep").split(b"\n")
        self.assertEqual(known[0], b"%%%% HASHDEEP-1.0")
        self.assertEqual(known[1], b"%%%% size,md5,sha1,sha256,filename")
        files = [line for line in known[2:] if line and not line.startswith(b"#")]
        self.assertEqual(len(files), len([r for r in self.items if "md5" in r.get("digests", {}) and r["kind"] == "file"]))
        for line in files:
            self.assertRegex(line, rb"^\d+,[0-9a-f]{32},[0-9a-f]{40},[0-9a-f]{64},E1/p1/")
        self.assertTrue(any(line.endswith(b"E1/p1/bad\xff.txt") for line in files), "the exact bytes of the name")
        body = [line for line in reported(self.case, "bodyfile").decode().splitlines() if not line.startswith("#")]
        self.assertEqual(len(body), len(self.items))
        self.assertEqual({line.count("|") for line in body}, {10})

    def test_case_is_valid_by_the_published_ontology(self):
        # What others would make of every name is what it was.
        case = json.loads(reported(self.case, "case"))
        paths = [facet["uco-observable:filePath"] for node in case["@graph"] if node["@type"] == "uco-observable:File"
                 for facet in node.get("uco-core:hasFacet", []) if "uco-observable:filePath" in facet]
        self.assertEqual(sorted(paths), sorted(r["path"] for r in self.items))
        self.assertEqual(len({node["@id"] for node in case["@graph"]}), len(case["@graph"]))
        broken = json.loads(json.dumps(case))
        for node in broken["@graph"]:
            if node["@type"] == "uco-observable:ObservableRelationship":
                node.pop("uco-core:isDirectional")
            for facet in node.get("uco-core:hasFacet", []):
                if "uco-observable:rangeOffset" in facet:
                    facet["uco-observable:rangeOffset"] = "far away"
        files = []
        for name, document in (("good", case), ("broken", broken)):
            files.append(self.path(name + ".json"))
            with open(files[-1], "w", encoding="utf-8") as file:
                json.dump(document, file)
        self.corpus_docs("case-uco-ontology.tar.xz")
        self.assertEqual(self.judge(files[0]), (0, 0))
        status, violations = self.judge(files[1])
        self.assertEqual(status, 1)
        self.assertGreater(violations, len(self.items))

    def judge(self, file):
        """Exit status and number of violations that the validator tells."""
        shapes = [os.path.join(folder, name) for part in ("casework+CASE/ontology", "ucoProject+UCO/ontology")
                  for folder, _, names in os.walk(self.path(part)) for name in names if name.endswith(".ttl")]
        self.assertGreater(len(shapes), 15)
        done = subprocess.run(["node", os.path.join(validator(), "validate.mjs"), *sorted(shapes), "--", file], capture_output=True, text=True)
        self.assertIn("triples", done.stdout, done.stderr[-2000:])
        found = re.search(r"Violation (\d+)", done.stdout)
        return done.returncode, int(found[1]) if found else 0


def validator():
    """rdf-validate-shacl and what it needs, by the lock file; beside the built programs, so that it is fetched once."""
    source = os.path.join(HERE, "..", "report", "shacl")
    with open(os.path.join(source, "package-lock.json"), "rb") as file:
        version = hashlib.sha256(file.read()).hexdigest()[:16]
    target = os.path.join(BIN, "..", "shacl-" + version)
    if not os.path.isdir(os.path.join(target, "node_modules")):
        making = tempfile.mkdtemp(dir=os.path.join(BIN, ".."))
        for name in ("package.json", "package-lock.json"):
            shutil.copy(os.path.join(source, name), making)
        done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=making, capture_output=True, text=True)
        assert done.returncode == 0, "the validator can't be had: " + done.stderr[-1000:]
        shutil.rmtree(target, ignore_errors=True)
        os.rename(making, target)
    shutil.copy(os.path.join(source, "validate.mjs"), target)
    return target


class RealImages(Folder):
    def process(self, *images):
        case = self.path("case")
        run("process", *images, "--case", case, "--number", "R-1", "--carve", "off", check=(0, 4))
        return case

    def test_bodyfile_says_of_allocated_and_deleted_files_what_fls_says(self):
        images = [unpack(f"images/{name}.xz", self.folder) for name in ("con-p-ext4.raw", "con-p-ntfs.raw", "6-fat-undel.dd")]
        body = reported(self.process(*images), "bodyfile").decode()
        with open(self.path("body"), "w", encoding="utf-8") as file:
            file.write(body)
        for number, image in enumerate(images, 1):
            volume = f"E{number}/p0"
            told = subprocess.run(["fls", "-r", "-m", "/" + volume, image], capture_output=True, check=True, env={**os.environ, "TZ": "UTC"}).stdout.decode()
            # fls makes up modes and owners where the file system stores none, and writes a line for each $FILE_NAME; of a
            # folder on NTFS it tells the size of the index's root alone; of a time of 0 it makes one of the year 2076.
            theirs = {self.comparable(line) for line in told.splitlines() if "($FILE_NAME)" not in line and "/V--" not in line}
            ours = {self.comparable(line) for line in body.splitlines() if f"|/{volume}/" in line}
            theirs = {line for line in theirs if "Volume Label Entry" not in line[1] and "3373865674" not in line}
            # What came back by the journal has a content that fls doesn't know.
            with open(self.path(f"case/findings/E{number}.jsonl"), "rb") as file:
                by_journal = {record["id"].split("/i")[1].split(":")[0] for record in lines(file.read()) if "via" in record}
            theirs = {line for line in theirs if line[0] not in by_journal}
            self.assertGreater(len(theirs), 10)
            self.assertEqual(theirs - ours, set(), image)
        self.assertGreater(len(subprocess.run(["mactime", "-b", self.path("body"), "-d", "-z", "UTC"], capture_output=True, check=True, text=True)
                               .stdout.splitlines()), 100)

    @staticmethod
    def comparable(line):
        _, name, inode, mode, _, _, size, *times = line.split("|")
        return (inode, name, "" if mode[2:3] == "d" else size, mode[2:3], *times)

    def test_hashdeep_audits_the_files_themselves(self):
        tree = self.path("tree")
        os.makedirs(os.path.join(tree, "folder/\u043f\u0430\u043f\u043a\u0430"))
        for number, name in enumerate(["a.txt", "folder/b, c.txt", "folder/\u043f\u0430\u043f\u043a\u0430/\u045e.txt", "empty"]):
            with open(os.path.join(tree, name), "wb") as file:
                file.write(b"content %d\n" % number * (3000 * number))
        subprocess.run(["mkfs.ext4", "-q", "-O", "^has_journal", "-d", tree, self.path("image.raw"), "8m"], check=True, capture_output=True)
        case = self.process(self.path("image.raw"))
        with open(self.path("known"), "wb") as file:
            file.write(reported(case, "hashdeep"))
        os.makedirs(self.path("E1"))
        os.rename(tree, self.path("E1/p0"))
        os.makedirs(self.path("E1/p0/lost+found"), exist_ok=True)
        audit = ["hashdeep", "-a", "-vv", "-r", "-l", "-k", "known", "E1"]
        done = subprocess.run(audit, cwd=self.folder, capture_output=True, text=True)
        self.assertIn("Audit passed", done.stdout, done.stdout)
        self.assertEqual(done.returncode, 0)
        with open(self.path("E1/p0/a.txt"), "ab") as file:
            file.write(b"changed")
        self.assertIn("Audit failed", subprocess.run(audit, cwd=self.folder, capture_output=True, text=True).stdout)
        matching = subprocess.run(["hashdeep", "-m", "-r", "-l", "-k", "known", "E1"], cwd=self.folder, capture_output=True, text=True).stdout
        self.assertEqual(len(matching.splitlines()), 3, matching)

    def test_findings_that_were_changed_are_not_reported(self):
        made = make_case.make_case(self.folder)
        self.assertIn(b"2024/7", reported(str(made), "html"))
        with open(made / "findings/E1.jsonl", "r+b") as file:
            data = file.read()
            file.seek(0)
            file.write(data.replace(b"/a.txt", b"/b.txt", 1))
        done = run("report", str(made), "--to", "csv", "-o", self.path("out.csv"))
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"isn't the file that the manifest speaks of", done.stderr)
        self.assertFalse(os.path.exists(self.path("out.csv")))

    def test_a_ledger_that_was_cut_is_not_reported(self):
        made = make_case.make_case(self.folder)
        with open(made / "custody.jsonl", "rb") as file:
            events = file.readlines()
        (made / "custody.jsonl").write_bytes(b"".join(events[:-1]))
        done = run("report", str(made), "--to", "html")
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"custody.jsonl", done.stderr)

    def test_memory_does_not_grow_with_the_findings(self):
        records = make_case.make_records(make_case.make_image())
        at = next(n for n, r in enumerate(records) if r["record"] == "match" and r["item"] == "E1/p1")
        case = write_case(self.path("case"), records)
        one = {"record": "item", "volume": "E1/p1", "kind": "file", "state": "allocated", "size": 512, "digests": openssl_digests(b""), "extents": [[0, 512]]}
        with open(os.path.join(case, "findings/E1.jsonl"), "wb") as file:
            file.writelines(canonical(record) + b"\n" for record in records[:at])
            for number in range(150000):
                name = f"/folder {number % 100}/{number}"
                file.write(json.dumps({**one, "content": f"E1/p1/i{number}", "id": f"E1/p1/i{number}:{name}", "path": name},
                                      sort_keys=True, separators=(",", ":")).encode() + b"\n")
            file.writelines(canonical(record) + b"\n" for record in records[at:])
        size = os.path.getsize(os.path.join(case, "findings/E1.jsonl"))
        for form in FORMATS:
            script = "import resource,subprocess,sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); " \
                     "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
            done = subprocess.run([sys.executable, "-c", script, EXHIBIT, "report", case, "--to", form], capture_output=True, text=True, check=True)
            self.assertLess(int(done.stdout) * 1024, size / 2, form)


if __name__ == "__main__":
    unittest.main(verbosity=2)
