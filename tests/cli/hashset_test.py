"""exhibit hashset: every importer with the traps of its format, the index as a set, what is asked of it and compared.
All digests are of harmless texts, made here."""
import hashlib, json, os, shutil, sqlite3, subprocess, tempfile, unittest
from support import CORPORA, findings, lines, run

VICS_13 = "http://github.com/ICMEC/ProjectVic/DataModels/1.3.xml#"
VICS_20 = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/%s/$metadata#Media"
BOM = b"\xef\xbb\xbf"


def md5(text):
    return hashlib.md5(text.encode() if isinstance(text, str) else text).hexdigest()


def sha1(text):
    return hashlib.sha1(text.encode()).hexdigest()


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


class Scratch(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return self.path(name)

    def build(self, *inputs, out="set.xhs", set_class="notable", check=(0,), more=()):
        return run("hashset", "build", *inputs, "-o", self.path(out), "--class", set_class, *more, check=check)

    def info(self, name="set.xhs"):
        return json.loads(run("hashset", "info", self.path(name), "--json", check=(0,)).stdout)

    def query(self, *digests, name="set.xhs", check=(0,)):
        """{digest: [answer]} of those that are found."""
        answers = {}
        for answer in lines(run("hashset", "query", self.path(name), *digests, "--json", check=check).stdout):
            if answer["found"]:
                answers.setdefault(answer["digest"], []).append(answer)
        return answers


class Importers(Scratch):
    def refused(self, done):
        """The numbers of the lines that standard error names."""
        return [int(line.split(" line ")[1].split(" ")[0]) for line in done.stderr.decode().splitlines() if " was not taken" in line]

    def vics(self, context, media, bom=b""):
        key = "odata.metadata" if "1.3" in context or "1.2" in context else "@odata.context"
        return bom + json.dumps({key: context, "value": media}).encode()

    def medium(self, number, text, category, **more):
        return {"MediaID": number, "Category": category, "MD5": md5(text).upper(), "SHA1": sha1(text).upper(), **more}

    def test_vics_2_with_its_traps(self):
        media = [self.medium(1, "a", 1, VictimIdentified="True", IsDistributed=False, Series="named"),
                 self.medium(2, "b", None, VictimIdentified=False, Series={"SeriesID": 1, "SeriesName": "named"}),
                 self.medium(3, "c", "2", Tags=None, Comments="", AlternativeHashes=[
                     {"HashName": "SHA256", "HashValue": sha256("c").upper()}, {"HashName": "PhotoDNA", "HashValue": "A" * 192}]),
                 self.medium(4, "d", 0, MediaFiles=[{"MD5": md5("d"), "FileName": "secret.jpg", "FilePath": "x", "Unallocated": "False"}],
                             Exifs=[{"PropertyName": "Make", "PropertyValue": "x"}]),
                 self.medium(5, "", 1),
                 {"MediaID": 6, "Category": 1, "PhotoDNA": "A" * 192},
                 {"MediaID": 7, "Category": 1, "MD5": "x"}]
        done = self.build(self.write("vics.json", self.vics(VICS_20 % "US", media, BOM)), check=(4,))
        for words in ("medium 5: the digest of empty content", "medium 6: it has PhotoDNA alone", "medium 7: its md5 isn't one"):
            self.assertIn(words, done.stderr.decode())
        info = self.info()
        self.assertEqual((info["class"], info["category_profile"], info["entries"]), ("notable", "US", 4))
        self.assertEqual([(each["format"], each["refused"], each["trivial"]) for each in info["inputs"]], [("vics", 3, 1)])
        found = self.query(*[md5(each) for each in "abcd"], sha1("a"), sha256("c"), md5(""))
        self.assertEqual({key: (value[0]["category"], value[0]["entry"]) for key, value in found.items()},
                         {md5("a"): ("1", "1"), md5("b"): ("", "2"), md5("c"): ("2", "3"), md5("d"): ("0", "4"),
                          sha1("a"): ("1", "1"), sha256("c"): ("2", "3")})
        with open(self.path("set.xhs"), "rb") as file:
            whole = file.read()
        for private in (b"secret", b"named", b"Series"):
            self.assertNotIn(private, whole)

    def test_vics_1_3_cases_and_the_uk_s_export(self):
        cases = {"odata.metadata": VICS_13 + "Cases", "value": [
            {"CaseID": 1, "CaseNumber": "x", "TotalMediaFiles": 2, "Media": [self.medium(1, "a", 1), self.medium(2, "b", 2)]},
            {"CaseID": 2, "Media": [self.medium(3, "c", 3)]}]}
        self.build(self.write("cases.json", json.dumps(cases, indent=1)))
        self.assertEqual(self.info()["entries"], 3)
        self.assertEqual(self.info()["category_profile"], "")
        self.assertEqual(self.query(md5("c"))[md5("c")][0]["category"], "3")
        caid = self.write("caid.json", self.vics(VICS_13.replace("1.3", "1.2") + "Media", [self.medium(1, "d", 1)]))
        self.build(caid, out="caid.xhs")
        self.assertEqual(self.info("caid.xhs")["category_profile"], "UK")
        self.assertEqual(self.info("caid.xhs")["inputs"][0]["format"], "caid")

    def test_categories_of_two_countries_are_not_one_set(self):
        us = self.write("us.json", self.vics(VICS_20 % "US", [self.medium(1, "a", 1)]))
        uk = self.write("uk.json", self.vics(VICS_20 % "UK", [self.medium(1, "b", 1)]))
        self.assertIn("those of UK, not of US", self.build(us, uk, check=(2,)).stderr.decode())
        self.assertFalse(os.path.exists(self.path("set.xhs")))

    def test_half_a_json_is_no_set(self):
        whole = self.vics(VICS_20 % "US", [self.medium(each, str(each), 1) for each in range(50)])
        for cut in (len(whole) // 2, len(whole) - 1):
            done = self.build(self.write("cut.json", whole[:cut]), check=(3,))
            self.assertIn("breaks off", done.stderr.decode())
        self.assertIn("breaks off", self.build(self.write("cut.json", whole + b"]"), check=(3,)).stderr.decode())
        self.assertEqual(os.listdir(self.folder), ["cut.json"])

    def test_chosen_categories(self):
        path = self.write("v.json", self.vics(VICS_20 % "US", [self.medium(each, str(each), each % 3) for each in range(9)]))
        self.build(path, more=("--categories", "1,2"))
        self.assertEqual((self.info()["entries"], self.info()["inputs"][0]["passed_over"]), (6, 3))
        self.assertEqual(set(self.query(*[md5(str(each)) for each in range(9)])), {md5(str(each)) for each in range(9) if each % 3})

    def rds3(self, name, view=False):
        path = self.path(name)
        with sqlite3.connect(path) as base:
            table = "METADATA" if view else "FILE"
            base.execute(f"CREATE TABLE {table}(sha256 VARCHAR, sha1 VARCHAR, md5 VARCHAR, crc32 VARCHAR, file_name VARCHAR, "
                         "file_size INTEGER, package_id INTEGER)")
            if view:
                base.execute("CREATE VIEW FILE AS SELECT sha256, sha1, md5, file_name, file_size, package_id FROM METADATA")
            base.execute("CREATE VIEW DISTINCT_HASH AS SELECT DISTINCT sha256, sha1, md5, crc32 FROM " + table)
            base.executemany(f"INSERT INTO {table} VALUES(?,?,?,?,?,?,?)", [
                (sha256(each).upper(), sha1(each).upper(), md5(each).upper(), "0", f"{each}.dll", 1, product)
                for each in map(str, range(2000)) for product in (1, 2)])
        base.close()
        return path

    def test_nsrl_rds_3_and_what_a_quarter_adds(self):
        delta = ("BEGIN TRANSACTION;\nINSERT INTO FILE(sha256,sha1,md5,crc32,file_name,file_size,package_id)\n"
                 f"VALUES('{sha256('new').upper()}','{sha1('new').upper()}','{md5('new').upper()}','0','it''s; new.dll',1,3);\n"
                 "INSERT INTO PKG VALUES(3,'p','1','1','1','English','x');\n"
                 f"DELETE FROM FILE WHERE md5='{md5('7').upper()}';\nCOMMIT;\n")
        base = self.rds3("rds.db")
        with open(base, "rb") as file:
            before = file.read()
        done = self.build(base, self.write("delta.sql", delta), set_class="known", check=(4,))
        self.assertEqual(self.refused(done), [5])
        self.assertIn("takes away from the database", done.stderr.decode())
        with open(base, "rb") as file:
            self.assertEqual(file.read(), before)
        self.assertEqual(sorted(os.listdir(self.folder)), ["delta.sql", "rds.db", "set.xhs"])
        tables = {table["algorithm"]: table["digests"] for table in self.info()["tables"]}
        self.assertEqual(tables, {"md5": 2001, "sha1": 2001, "sha256": 2001})
        found = self.query(md5("1999"), sha256("new"))
        self.assertEqual(found[md5("1999")][0]["entry"], "1999.dll")
        self.assertEqual((found[sha256("new")][0]["entry"], found[sha256("new")][0]["entry_source"]), ("it's; new.dll", "delta.sql"))
        # The full edition has a view of that name.
        self.build(self.rds3("full.db", view=True), out="full.xhs", set_class="known")
        self.assertEqual(self.info("full.xhs")["entries"], 4000)

    def test_a_database_that_is_cut_or_unfinished_is_no_set(self):
        path = self.rds3("rds.db")
        size = os.path.getsize(path)
        os.truncate(path, size - 4096)
        self.assertIn("cut", self.build(path, check=(3,)).stderr.decode())
        path = self.rds3("other.db")
        self.write("other.db-wal", b"x" * 32)
        self.assertIn("isn't finished", self.build(path, check=(3,)).stderr.decode())
        path = self.path("empty.db")
        with sqlite3.connect(path) as base:
            base.execute("CREATE TABLE other(x)")
        base.close()
        self.assertIn("no NSRL RDSv3", self.build(path, check=(3,)).stderr.decode())
        for cut in ("BEGIN TRANSACTION;\nINSERT INTO FILE(md5) VALUES('%s');\n" % md5("a"), "INSERT INTO FILE(md5) VALUES('%s')" % md5("a")):
            self.assertIn("cut", self.build(self.write("cut.sql", cut), check=(3,)).stderr.decode())

    def test_the_corpora_s_sets(self):
        folder = os.path.join(CORPORA, "hashsets")
        with open(os.path.join(CORPORA, "truth", "hashsets.jsonl"), encoding="utf-8") as file:
            truth = [json.loads(line) for line in file]
        known = [record for record in truth if record.get("known") is True]
        unknown = [record for record in truth if record.get("known") is False]
        for name, kind, digest in (("rds3-min.db", "nsrl-rds3", "sha256"), ("NSRLFile.txt", "nsrl-rds2", "sha1"),
                                   ("known.hashdeep", "hashdeep", "sha256"), ("known.sha256", "plain", "sha256")):
            self.build(os.path.join(folder, name), out=name + ".xhs", set_class="known")
            self.assertEqual(self.info(name + ".xhs")["inputs"][0]["format"], kind)
            found = self.query(*[record[digest] for record in known + unknown], name=name + ".xhs")
            self.assertEqual(set(found), {record[digest] for record in known})
        done = self.build(os.path.join(folder, "malformed.md5"), out="malformed.xhs", check=(4,))
        self.assertEqual(self.refused(done), [5, 6, 8, 9])

    def test_encase(self):
        head = b"HASH\r\n\xff\0" + bytes(1024) + "a set".encode("utf-16-le").ljust(120, b"\0")
        self.assertEqual(len(head), 1152)
        records = b"".join(bytes.fromhex(md5(str(each))) + b"\0\0" for each in range(300))
        self.build(self.write("set.hash", head + records))
        self.assertEqual(self.info()["entries"], 300)
        self.assertIn(md5("299"), self.query(md5("299")))
        self.assertEqual(self.refused(self.build(self.write("cut.hash", head + records[:-1]), out="cut.xhs", check=(4,))), [300])

    def test_other_tables(self):
        hsh = ('"file_id","hashset_id","file_name","directory","hash","file_size","date_modified","time_modified","time_zone","comments",'
               '"date_accessed","time_accessed"\r\n' + f'1,671,"A, B.TXT","\\","{md5("a").upper()}",1,12/7/99,12:00:00,"PST","",,\r\n'
               '2,671,"broken","\\",\r\n' + f'3,671,"c","\\","{md5("c")}",1,,,,,,\r\n')
        self.assertEqual(self.refused(self.build(self.write("z.hsh", hsh), out="hk.xhs", check=(4,))), [3])
        self.assertEqual(self.query(md5("a"), md5("c"), name="hk.xhs")[md5("a")][0]["entry"], "A, B.TXT")
        hke = '"hashset_id","name","vendor","package","version","authenicated_flag","notable_flag"\r\n671,"Z","M","W","1",1,0\r\n'
        self.assertIn("give the .hsh", self.build(self.write("z.hke", hke), out="no.xhs", check=(3,)).stderr.decode())
        ilook = "V3Hash,HashSHA1,FileName,FilePath,FileSize,HashSHA256,HashSHA384,HashSHA512\n" + \
            f"{md5('a').upper()},{sha1('a').upper()},a, b.tar.gz,\\,1,,,\n{md5('b')},,b\n"
        self.assertEqual(self.refused(self.build(self.write("i.hsh", ilook), out="ilook.xhs", check=(4,))), [3])
        self.assertEqual(self.query(sha1("a"), name="ilook.xhs")[sha1("a")][0]["entry"], "a, b.tar.gz")
        icse = ("MD5;SHA1;PhotoDNA;Image ID;Is distributed;Victim identified;Offender identified;Series name;Number of submissions;"
                "File Available;Media Type;Baseline\n" + f"{md5('a')};{sha1('a')};;17;True;False;False;named;1;True;Image;True\n{md5('b')};;;18;true\n")
        self.assertEqual(self.refused(self.build(self.write("icse.csv", icse), out="icse.xhs", check=(4,))), [3])
        answer = self.query(md5("a"), name="icse.xhs")[md5("a")][0]
        self.assertEqual((answer["entry"], answer["category"]), ("17", "baseline"))
        circl = f"hashlookup_result,filename,sha-1,size\nknown,/bin/a, or b,{sha1('a').upper()},1\nunknown,/bin/c,{sha1('c').upper()},1\n"
        self.build(self.write("circl.csv", circl), out="circl.xhs", set_class="known")
        self.assertEqual(set(self.query(sha1("a"), sha1("c"), name="circl.xhs")), {sha1("a")})
        old = ('"SHA-1","FileName","FileSize","ProductCode","OpSystemCode","MD4","MD5","CRC32","SpecialCode"\r\n'
               f'"{sha1("a").upper()}","a",1,1,"WIN","","{md5("a").upper()}","0","M"\r\n')
        self.build(self.write("NSRLFile.txt", old), out="old.xhs", set_class="known")
        self.assertEqual(self.query(md5("a"), name="old.xhs")[md5("a")][0]["category"], "M")

    def test_content_that_everything_holds_is_refused_for_notable_sets(self):
        trivial = [md5(b"")] + [md5(bytes([value]) * (512 << power)) for power in range(12) for value in (0, 255)]
        path = self.write("t.md5", "\n".join([md5("a")] + trivial) + "\n")
        done = self.build(path)
        self.assertEqual(self.refused(done), list(range(2, 27)))
        self.assertIn("1048576 bytes of 0xff", done.stderr.decode())
        self.assertEqual(set(self.query(md5("a"), *trivial)), {md5("a")})
        self.build(path, out="known.xhs", set_class="known")
        self.assertEqual(set(self.query(md5("a"), *trivial, name="known.xhs")), {md5("a"), *trivial[1:]})


class TheIndex(Scratch):
    def setUp(self):
        super().setUp()
        self.list = self.write("list.md5", "".join(f"{md5(str(each))}  file {each}\n" for each in range(5000)))

    def test_the_same_bytes_whatever_the_order(self):
        other = self.write("other.sha1", "".join(f"{sha1(str(each))}\n" for each in range(100)))
        self.build(self.list, other, out="one.xhs", more=("--name", "n"))
        self.build(other, self.list, out="two.xhs", more=("--name", "n"))
        with open(self.path("one.xhs"), "rb") as one, open(self.path("two.xhs"), "rb") as two:
            self.assertEqual(one.read(), two.read())

    def test_its_header_says_what_it_is(self):
        self.build(self.list, more=("--name", "harmless", "--source", "us", "--version", "7", "--licence", "CC0", "--category-profile", "UK"))
        info = json.loads(run("hashset", "info", self.path("set.xhs"), "--check", "--json", check=(0,)).stdout)
        self.assertEqual([info[key] for key in ("name", "source", "version", "licence", "category_profile", "entries")],
                         ["harmless", "us", "7", "CC0", "UK", 5000])
        sums = subprocess.run(["sha256sum", self.list, self.path("set.xhs")], capture_output=True, text=True, check=True).stdout.split()
        self.assertEqual((info["inputs"][0]["sha256"], info["sha256"]), (sums[0], sums[2]))

    def test_an_index_that_is_there_is_not_replaced(self):
        self.build(self.list)
        self.assertIn("is there already", self.build(self.list, check=(2,)).stderr.decode())

    def test_query_reads_a_pipe_and_tells_what_is_no_digest(self):
        self.build(self.list)
        asked = "\r\n".join([md5("7").upper(), md5("absent"), "nonsense", sha1("7"), ""]).encode()
        done = run("hashset", "query", self.path("set.xhs"), "-", "--json", stdin=asked, check=(4,))
        self.assertEqual([(answer["digest"], answer["found"]) for answer in lines(done.stdout)],
                         [(md5("7").upper(), True), (md5("absent"), False), (sha1("7"), False)])
        self.assertIn("'nonsense' is no digest", done.stderr.decode())
        run("hashset", "query", self.path("set.xhs"), md5("absent"), check=(1,))

    def test_hfind_finds_the_same(self):
        self.build(self.list)
        subprocess.run(["hfind", "-i", "md5sum", self.list], check=True, capture_output=True)
        asked = [md5(str(each)) for each in range(4000, 6000)]
        with open(self.write("asked", "\n".join(asked) + "\n"), encoding="ascii") as file:
            said = subprocess.run(["hfind", "-f", file.name, self.list], check=True, capture_output=True, text=True).stdout
        theirs = {line.split("\t")[0].lower(): line.split("\t")[1] for line in said.splitlines() if "Hash Not Found" not in line}
        ours = {digest: answers[0]["entry"] for digest, answers in self.query(*asked).items()}
        self.assertEqual(ours, theirs)

    def test_diff(self):
        self.build(self.list, out="old.xhs")
        self.build(self.write("list.md5", "".join(f"{md5(str(each))}\n" for each in range(1, 5001))), out="new.xhs")
        done = run("hashset", "diff", self.path("old.xhs"), self.path("new.xhs"), "--json", check=(1,))
        self.assertEqual({(change["change"], change["digest"]) for change in lines(done.stdout)},
                         {("added", md5("5000")), ("removed", md5("0"))})
        self.assertEqual(run("hashset", "diff", self.path("old.xhs"), self.path("old.xhs"), check=(0,)).stdout, b"")

    def test_what_is_no_index_is_refused(self):
        self.assertIn("isn't a hash set index", run("hashset", "info", self.list, check=(3,)).stderr.decode())
        self.build(self.list)
        os.truncate(self.path("set.xhs"), os.path.getsize(self.path("set.xhs")) - 1)
        for words in (("info", self.path("set.xhs")), ("query", self.path("set.xhs"), md5("7"))):
            self.assertIn("set.xhs: ", run("hashset", *words, check=(3,)).stderr.decode())


class Matching(Scratch):
    """Over a pipe of item records, and over an image."""

    def hashed(self):
        """The records of an image's items, and the MD5 of those that have one."""
        records = run("hash", self.image(), check=(0, 4)).stdout
        return records, [record["digests"]["md5"] for record in lines(records) if record["record"] == "item" and record.get("size") and "digests" in record]

    def matches(self, set_class):
        records, digests = self.hashed()
        path = self.write(set_class + ".md5", "".join(f"{digest}  harmless.txt\n" for digest in digests))
        self.build(path, out=set_class + ".xhs", set_class=set_class)
        records = lines(run("match", "-", "--hashset", self.path(set_class + ".xhs"), stdin=records, check=(0, 4)).stdout)
        return [record for record in records if record["record"] == "match"]

    def test_matches_say_known_or_notable(self):
        for set_class in ("known", "notable"):
            found = self.matches(set_class)
            self.assertTrue(found)
            with open(self.path(set_class + ".xhs"), "rb") as file:
                digest = hashlib.sha256(file.read()).hexdigest()
            for match in found:
                self.assertEqual((match["class"], match["source"], match["source_sha256"], match["entry_source"]),
                                 (set_class, set_class, digest, set_class + ".md5"))

    def test_process_records_the_exact_file_and_counts_leads_apart(self):
        image = self.image()
        run("process", image, "--case", self.path("first"), "--carve", "off", check=(0, 4))
        items = [record for record in lines(findings(self.path("first"))) if record["record"] == "item" and record.get("size") and "digests" in record]
        self.assertTrue(items)
        sums = self.write("all.sha256", "".join(f"{item['digests']['sha256']}\n" for item in items))
        self.build(sums, out="known.xhs", set_class="known")
        self.build(sums, out="notable.xhs", check=(0,))
        done = run("process", image, "--case", self.path("case"), "--carve", "off", "--hashset", self.path("known.xhs"), "--hashset",
                   self.path("notable.xhs"), check=(0, 4))
        matches = [record for record in lines(findings(self.path("case"))) if record["record"] == "match"]
        by_class = {each: sum(match["class"] == each for match in matches) for each in ("known", "notable")}
        self.assertEqual(by_class["known"], by_class["notable"])
        self.assertGreater(by_class["known"], 0)
        self.assertIn(f"{by_class['notable']} leads", done.stderr.decode())
        self.assertIn(f"{by_class['known']} matches with sets of known content", done.stderr.decode())

    def image(self):
        path = self.path("fat.raw")
        with open(path, "wb") as file:
            file.truncate(8 << 20)
        subprocess.run(["mkfs.vfat", path], check=True, capture_output=True)
        self.write("a.txt", "harmless text\n" * 100)
        subprocess.run(["mcopy", "-i", path, self.path("a.txt"), "::a.txt"], check=True, capture_output=True)
        return path

    def test_a_damaged_index_stops_a_run_before_it_claims_anything(self):
        self.matches("notable")
        path = self.path("notable.xhs")
        with open(path, "r+b") as file:
            file.seek(20)
            file.write(b"\x01")
        done = run("match", "-", "--hashset", path, stdin=self.hashed()[0], check=(3,))
        self.assertIn("isn't what its checksum says", done.stderr.decode())
        self.assertEqual(done.stdout, b"")
        run("process", self.image(), "--case", self.path("case"), "--carve", "off", "--hashset", path, check=(3,))
        self.assertFalse(os.path.exists(self.path("case/findings/E1.jsonl")))


if __name__ == "__main__":
    unittest.main()
