#!/usr/bin/env python3
"""Checks what the design promises of the code's shape.

    check.py sources ROOT    include direction, C handles, printing, file length, include guards
    check.py programs BIN    which libraries the built programs load

One line for each violation, `file:line: what`; exit status 1 where there is any.
"""
import re
import subprocess
import sys
from pathlib import Path

# From the ground up: a module may depend only on those before it.
ORDER = ("base hash image volume filesystem hashset match carve expand sandbox worker "
         "engine manifest custody verify mount report").split()

# What parses evidence runs sealed; what is trusted never includes it.
PARSERS = {"image", "volume", "filesystem", "match", "carve", "expand", "worker"}
TRUSTED = {"engine", "manifest", "custody", "verify", "mount", "report"}
PARSER_HEADERS = re.compile(r"tsk/|hs(/hs)?\.h|libdeflate|bzlib|lzma|zstd|lz4|libewf|libbfio|yara(\.h|/)|magic\.h|libpff|qpdf/|archive(_entry)?\.h|lib(qcow|vmdk|vhdi|bde|luksde|vshadow)")

# Shared libraries that read evidence, as their file names begin.
PARSER_LIBRARIES = ("libhs libdeflate libbz2 liblzma libzstd liblz4 libewf libbfio libtsk libyara libmagic libarchive libqcow libvmdk libvhdi libafflib libbde "
                    "libluksde libfvde libvshadow libvslvm libfsxfs libpff libqpdf libfuzzy libtlsh libvips libjpeg "
                    "libpng").split()
WORKER_NEEDS = "libewf libtsk libyara libmagic libarchive".split()
WORKER_STANDS_IN_FOR = "tsk_fs_dir_add tsk_fs_dir_contains".split()

# The second verifier: what it may load, and how much of it there may be to read (lines that are neither blank nor comment).
SECOND = "cmd/exhibit-verify"
SECOND_LIBRARIES = re.compile(r"(libstdc\+\+|libm|libgcc_s|libc|ld-linux-[\w-]+)\.so\.\d+$")
SECOND_LONGEST = 2500

# The function that ends a C handle's life: where it is named, the handle's owning type is.
RELEASE = re.compile(r"\b(?:libewf|libbfio|libbde|libvshadow|tsk|yr|magic|seccomp|archive|sqlite3|EVP|X509|CMS|PKCS7|TS|OCSP|BIO|BN|ASN1"
                     r"|OSSL)_(?:\w+_)?(?:free|free_all|close|destroy|release)\b")

PRINTING = re.compile(r"\b(?:v?f?printf|v?dprintf|puts|fputs|putchar|perror)\s*\(|\bstd::(?:cout|cerr|clog)\b")
ENVIRONMENT = re.compile(r"\b(?:secure_)?getenv\s*\(|\benviron\b")
EXIT = re.compile(r"\b(?:exit|quick_exit)\s*\(")
# A process made for one task may end itself; only these modules have such processes.
END_OF_PROCESS = re.compile(r"\b(?:_exit|_Exit)\s*\(")
HAVE_PROCESSES = {"sandbox", "worker", "engine"}

LONGEST = 500
REASON = re.compile(r"(//|#) Longer than 500 lines because \S")
REASON_WITHIN = 20  # lines from the top

INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')


class Source:
    """A file of the project; `code` has its lines without comments and without what strings hold."""

    def __init__(self, root, path):
        self.name = path.relative_to(root).as_posix()
        self.parts = self.name.split("/")
        self.lines = path.read_text(encoding="utf-8").splitlines()
        self.is_test = self.parts[0] == "tests" or re.search(r"_test\.\w+$|/test_\w+\.h$", self.name) is not None
        self.is_code = path.suffix in (".cc", ".h") or self.name.endswith(".cc.in")
        self.module = self.parts[1] if self.parts[0] == "modules" and len(self.parts) > 2 else None

    @property
    def code(self):
        text = "\n".join(self.lines)
        # In the order in which a reader meets them: a raw string, a string, a character, either kind of comment.
        skipped = r'R"(\w*)\((?:.|\n)*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'|//[^\n]*|/\*(?:.|\n)*?\*/'
        return re.sub(skipped, lambda found: "\n" * found[0].count("\n"), text).splitlines()

    def includes(self):
        for number, line in enumerate(self.lines, 1):
            if found := INCLUDE.match(line):
                yield number, found[2], found[1] == '"'

    def matches(self, pattern):
        for number, line in enumerate(self.code, 1):
            for found in pattern.finditer(line):
                yield number, found[0]


def sources(root):
    suffixes = (".cc", ".h", ".cc.in", ".py", ".sh", ".cmake")
    for folder in ("include", "modules", "cmd", "tests", "cmake"):
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and path.name.endswith(suffixes):
                yield Source(root, path)


def dependencies(root):
    """Each module's DEPENDS, as its CMakeLists.txt names them."""
    depends = {}
    for path in sorted((root / "modules").glob("*/CMakeLists.txt")):
        text = re.sub(r"#[^\n]*", "", path.read_text(encoding="utf-8"))
        found = re.search(r"exhibit_module\(\s*(\w+)([^)]*)\)", text)
        words = found[2].split() if found else []
        listed = []
        if "DEPENDS" in words:
            for word in words[words.index("DEPENDS") + 1:]:
                if word.isupper():
                    break
                listed.append(word)
        depends[path.parent.name] = listed
    return depends


def reachable(depends, module):
    seen, todo = set(), [module]
    while todo:
        for other in depends.get(todo.pop(), []):
            if other not in seen:
                seen.add(other)
                todo.append(other)
    return seen


def check_dependencies(depends):
    for module, listed in depends.items():
        where = f"modules/{module}/CMakeLists.txt:1"
        if module not in ORDER:
            yield f"{where}: module {module} has no place in the order of modules"
            continue
        for other in listed:
            if other not in ORDER[:ORDER.index(module)]:
                yield f"{where}: {module} depends on {other}, which isn't before it in the order of modules"
        if module in TRUSTED:
            for other in sorted(reachable(depends, module) & PARSERS):
                yield f"{where}: {module} is trusted and depends on {other}, which parses evidence"


def check_includes(source, depends):
    for number, header, quoted in source.includes():
        where = f"{source.name}:{number}"
        top = header.split("/")[0]
        trusted = source.module in TRUSTED or source.parts[:2] == ["cmd", "exhibit"]
        if source.parts[0] == "include":
            if quoted or not re.fullmatch(r"exhibit/\w+\.h|[a-z_]+|c[a-z]+", header):
                yield f"{where}: include/exhibit includes {header}: only <exhibit/…> and the standard library may be"
        if trusted and not source.is_test:
            if PARSER_HEADERS.match(header) or (quoted and top in PARSERS):
                yield f"{where}: trusted code includes {header}, which parses evidence"
        if source.module and quoted and not source.is_test:
            if top not in ORDER:
                yield f'{where}: "{header}" isn\'t written as "module/file.h"'
            elif top != source.module and top not in reachable(depends, source.module):
                yield f"{where}: {source.module} includes {header} and doesn't depend on {top}"


def check_habits(source):
    if source.is_test or source.parts[0] not in ("modules", "include"):
        return
    # EXHIBIT_CHECK says where our own bug is before the process dies.
    if source.name != "include/exhibit/result.h":
        for number, token in source.matches(PRINTING):
            yield f"{source.name}:{number}: {token}…: modules don't print; give the caller an Error or a problem"
    for number, token in source.matches(EXIT):
        yield f"{source.name}:{number}: {token}…: modules don't end the program"
    if source.module not in HAVE_PROCESSES:
        for number, token in source.matches(END_OF_PROCESS):
            yield f"{source.name}:{number}: {token}…: modules don't end the program"
    for number, token in source.matches(ENVIRONMENT):
        yield f"{source.name}:{number}: {token}…: modules don't read the environment; the command passes it on"


def check_shape(source):
    if len(source.lines) > LONGEST and not any(REASON.match(line) for line in source.lines[:REASON_WITHIN]):
        yield (f"{source.name}:1: {len(source.lines)} lines; split it, or say near the top: "
               f"Longer than {LONGEST} lines because …")
    if source.name.endswith(".h") and source.lines[:1] != ["#pragma once"]:
        yield f"{source.name}:1: a header begins with #pragma once"


def check_handles(all_sources):
    """A C handle is released in one file: its owning type's."""
    places = {}
    for source in all_sources:
        if source.is_code and not source.is_test:
            for number, token in source.matches(RELEASE):
                places.setdefault(token, {}).setdefault(source.name, number)
    for token, files in sorted(places.items()):
        if len(files) > 1:
            first, *others = sorted(files)
            for other in others:
                yield f"{other}:{files[other]}: {token} is also in {first}: one file owns a C handle"


def check_second(all_sources):
    """It shares nothing with the rest: its own headers and the standard library, and few enough lines to be read."""
    mine = [source for source in all_sources if source.name.startswith(SECOND + "/")]
    headers = {Path(source.name).name for source in mine}
    for source in mine:
        for number, header, quoted in source.includes():
            if header not in headers if quoted else not re.fullmatch(r"[a-z_]+", header):
                yield f"{source.name}:{number}: the second verifier includes {header}, which isn't its own"
    lines = sum(bool(line.strip()) for source in mine for line in source.code)
    if lines >= SECOND_LONGEST:
        yield f"{SECOND}/main.cc:1: {lines} lines of code; the second verifier has fewer than {SECOND_LONGEST}, so that it can be read"


def check_sources(root):
    depends = dependencies(root)
    everything = list(sources(root))
    if not any(source.module for source in everything):
        yield f"{root}: no sources there"
    yield from check_dependencies(depends)
    for source in everything:
        if source.is_code:
            yield from check_includes(source, depends)
            yield from check_habits(source)
        yield from check_shape(source)
    yield from check_handles(everything)
    yield from check_second(everything)


def run(*command):
    environment = {"LC_ALL": "C", "PATH": "/usr/bin:/bin"}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout


def needed(program):
    """What the program's own dynamic section asks for."""
    return re.findall(r"\(NEEDED\).*\[(.+)\]", run("readelf", "-d", program))


def loaded(program):
    """What the loader then brings in, libraries of libraries included."""
    return re.findall(r"^\s*(\S+)", run("ldd", program), re.MULTILINE)


def check_programs(folder):
    trusted, worker, second = folder / "exhibit", folder / "exhibit-worker", folder / "exhibit-verify"
    for program in (trusted, worker, second):
        if not program.is_file():
            yield f"{program}: isn't built"
            return
    for library in sorted(set(needed(trusted) + loaded(trusted))):
        if Path(library).name.startswith(tuple(PARSER_LIBRARIES)):
            yield f"{trusted}: loads {library}, which parses evidence"
    for library in needed(second):
        if not SECOND_LIBRARIES.fullmatch(library):
            yield f"{second}: needs {library}: the second verifier links nothing but the C++ library"
    for name in WORKER_NEEDS:
        if not any(library.startswith(name) for library in needed(worker)):
            yield f"{worker}: doesn't need {name}: is this check still looking at the right program?"
    exported = run("nm", "-D", "--defined-only", worker).split()
    for name in WORKER_STANDS_IN_FOR:
        if name not in exported:
            yield f"{worker}: doesn't export {name}: libtsk would call its own (docs/decisions/0016)"


CHECKS = {"sources": check_sources, "programs": check_programs}


def main(arguments):
    if len(arguments) != 2 or arguments[0] not in CHECKS:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    violations = list(CHECKS[arguments[0]](Path(arguments[1]).resolve()))
    for violation in violations:
        print(violation)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
