#!/usr/bin/env python3
"""The checker must find what it looks for: a small clean tree, then one violation of each kind put into it."""
import shutil
import tempfile
import unittest
from pathlib import Path

import check

CLEAN = {
    "include/exhibit/result.h": '#pragma once\n#include <string>\n#define EXHIBIT_CHECK(x) std::fprintf(stderr, "no")\n',
    "include/exhibit/item.h": "#pragma once\n#include <exhibit/result.h>\n",
    "modules/base/CMakeLists.txt": "# a comment (with a bracket)\nexhibit_module(base LIBRARIES nlohmann_json::nlohmann_json)\n",
    "modules/base/text.h": '#pragma once\n#include "base/text.h"\n// printf( in a comment, and "getenv("\n',
    "modules/base/text.cc": 'const char* a = "exit(1)"; /* std::cout */ int n = std::snprintf(b, 1, "x");\n',
    "modules/hash/CMakeLists.txt": "exhibit_module(hash DEPENDS base)\n",
    "modules/hash/digest.h": '#pragma once\n#include "base/text.h"\n',
    "modules/image/CMakeLists.txt": "exhibit_module(image\n  DEPENDS base  # and no more\n  LIBRARIES ewf)\n",
    "modules/image/image.cc": '#include <libewf.h>\n#include "base/text.h"\nvoid f() { libewf_handle_free(&h, nullptr); }\n',
    "modules/image/image_test.cc": '#include "hash/digest.h"\n#include "support/test_support.h"\nlibewf_handle_free(&h); printf("x");\n',
    "modules/image/test_images.h": '#pragma once\n#include "support/test_support.h"\n',
    "modules/sandbox/CMakeLists.txt": "exhibit_module(sandbox DEPENDS base)\n",
    "modules/sandbox/acts.cc": "void f() { _exit(0); }\n",
    "modules/manifest/CMakeLists.txt": "exhibit_module(manifest DEPENDS hash)\n",
    "modules/manifest/file.cc": '#include "base/text.h"\n#include "hash/digest.h"\n',
    "cmd/exhibit/main.cc": '#include "manifest/file.h"\nint main() { std::cout << std::getenv("HOME"); }\n',
    "cmd/exhibit-worker/main.cc": '#include "image/image.h"\n#include <libewf.h>\n',
    "cmd/exhibit-verify/main.cc": '#include "json.h"\n#include <charconv>\nint main() { std::printf("x"); }\n',
    "cmd/exhibit-verify/json.h": "#pragma once\n// Comments and blank lines don't count.\n\n" + "// x\n" * 20 + "int x;\n" * 400,
    "modules/base/long.cc": "// Longer than 500 lines because it is one table.\n" + "int x;\n" * 600,
}

# name of the violation: (file, its text, what the report must say, where)
VIOLATIONS = {
    "module includes one that it doesn't depend on": (
        "modules/image/more.cc", '#include "hash/digest.h"\n', "doesn't depend on hash", "modules/image/more.cc:1"),
    "module includes a later one": (
        "modules/base/more.h", '#pragma once\n#include "hash/digest.h"\n', "doesn't depend on hash", "modules/base/more.h:2"),
    "include without its module": (
        "modules/base/more.cc", '#include "text.h"\n', "isn't written as", "modules/base/more.cc:1"),
    "module depends on a later one": (
        "modules/base/CMakeLists.txt", "exhibit_module(base DEPENDS hash)\n", "isn't before it", "modules/base/CMakeLists.txt"),
    "module without a place": (
        "modules/extra/CMakeLists.txt", "exhibit_module(extra)\n", "no place in the order", "modules/extra/CMakeLists.txt"),
    "trusted module depends on a parser through another": (
        "modules/custody/CMakeLists.txt", "exhibit_module(custody DEPENDS image)\n", "is trusted and depends on image",
        "modules/custody/CMakeLists.txt"),
    "trusted module includes a parser's library": (
        "modules/manifest/more.cc", "#include <tsk/libtsk.h>\n", "trusted code includes tsk/libtsk.h", "modules/manifest/more.cc:1"),
    "trusted program includes a parser's module": (
        "cmd/exhibit/commands/list.cc", "\n#include \"volume/volumes.h\"\n", "trusted code includes volume/volumes.h",
        "cmd/exhibit/commands/list.cc:2"),
    "trusted program includes yara": (
        "cmd/exhibit/commands/match.cc", "#include <yara.h>\n", "trusted code includes yara.h", "cmd/exhibit/commands/match.cc:1"),
    "vocabulary includes a module": (
        "include/exhibit/more.h", '#pragma once\n#include "base/text.h"\n', "only <exhibit/…>", "include/exhibit/more.h:2"),
    "vocabulary includes a library": (
        "include/exhibit/more.h", "#pragma once\n#include <nlohmann/json.hpp>\n", "only <exhibit/…>", "include/exhibit/more.h:2"),
    "second verifier includes a module": (
        "cmd/exhibit-verify/main.cc", '#include "base/json.h"\n', "isn't its own", "cmd/exhibit-verify/main.cc:1"),
    "second verifier includes a library": (
        "cmd/exhibit-verify/main.cc", "\n#include <openssl/evp.h>\n", "isn't its own", "cmd/exhibit-verify/main.cc:2"),
    "second verifier too long to be read": (
        "cmd/exhibit-verify/main.cc", "// Longer than 500 lines because of this test.\n" + "int x;\n" * 2099, "2500 lines of code",
        "cmd/exhibit-verify/main.cc:1"),
    "C handle released in two files": (
        "modules/image/other.cc", "void g() {\n  libewf_handle_free(&h, nullptr);\n}\n", "one file owns", "modules/image/other.cc:2"),
    "printing": ("modules/base/more.cc", 'void f() { printf("x"); }\n', "don't print", "modules/base/more.cc:1"),
    "printing to a stream": ("modules/base/more.cc", "\nvoid f() { std::cerr << 1; }\n", "don't print", "modules/base/more.cc:2"),
    "printing after a raw string": (
        "modules/base/more.cc", 'auto a = R"(a " b)"; void f() { std::fprintf(stderr, "x"); }\n', "don't print", "modules/base/more.cc:1"),
    "ending the program": ("modules/base/more.cc", "void f() { std::exit(1); }\n", "don't end", "modules/base/more.cc:1"),
    "ending the process": ("modules/base/more.cc", "void f() { _exit(1); }\n", "don't end", "modules/base/more.cc:1"),
    "reading the environment": (
        "modules/base/more.cc", 'auto x = std::getenv("HOME");\n', "don't read the environment", "modules/base/more.cc:1"),
    "long file": ("modules/base/more.cc", "int x;\n" * 501, "501 lines", "modules/base/more.cc:1"),
    "long script": ("tests/more.py", "x = 1\n" * 501, "501 lines", "tests/more.py:1"),
    "header without #pragma once": (
        "modules/base/more.h", "// A comment first.\n#pragma once\n", "begins with #pragma once", "modules/base/more.h:1"),
}


class Sources(unittest.TestCase):
    def setUp(self):
        self.root = Path(tempfile.mkdtemp(prefix="exhibit-architecture-"))
        self.addCleanup(shutil.rmtree, self.root)
        for name, text in CLEAN.items():
            self.write(name, text)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def test_clean_tree_has_no_violation(self):
        self.assertEqual(list(check.check_sources(self.root)), [])

    def test_each_violation_is_found_and_nothing_else(self):
        for kind, (name, text, expected, where) in VIOLATIONS.items():
            with self.subTest(kind):
                self.write(name, text)
                found = list(check.check_sources(self.root))
                if name in CLEAN:
                    self.write(name, CLEAN[name])
                else:
                    (self.root / name).unlink()
                self.assertEqual(len(found), 1, found)
                self.assertTrue(found[0].startswith(where + ":"), found)
                self.assertIn(expected, found[0])

    def test_folder_without_sources_is_no_success(self):
        self.assertTrue(list(check.check_sources(self.root / "nowhere")))


class Programs(unittest.TestCase):
    """Programs of the machine in the places of ours: fls loads libtsk, true loads nothing but libc."""

    def setUp(self):
        self.bin = Path(tempfile.mkdtemp(prefix="exhibit-architecture-"))
        self.addCleanup(shutil.rmtree, self.bin)

    def place(self, **programs):
        for name, program in programs.items():
            (self.bin / name.replace("_", "-")).symlink_to(shutil.which(program))

    def test_parser_in_the_trusted_program_is_found(self):
        self.place(exhibit="fls", exhibit_worker="fls", exhibit_verify="true")
        self.assertIn("loads libtsk", "\n".join(check.check_programs(self.bin)))

    def test_library_of_a_library_is_found(self):
        # fls itself asks for libtsk alone of these; libtsk asks for libewf.
        self.place(exhibit="fls", exhibit_worker="fls", exhibit_verify="true")
        self.assertFalse(any(name.startswith("libewf") for name in check.needed(self.bin / "exhibit")))
        self.assertIn("loads libewf", "\n".join(check.check_programs(self.bin)))

    def test_worker_without_parsers_is_found(self):
        self.place(exhibit="true", exhibit_worker="true", exhibit_verify="true")
        found = list(check.check_programs(self.bin))
        self.assertEqual(len(found), len(check.WORKER_NEEDS) + len(check.WORKER_STANDS_IN_FOR), found)

    def test_library_in_the_second_verifier_is_found(self):
        self.place(exhibit="true", exhibit_worker="true", exhibit_verify="openssl")
        self.assertIn("needs libcrypto", "\n".join(check.check_programs(self.bin)))

    def test_missing_program_is_no_success(self):
        self.place(exhibit="true")
        self.assertIn("isn't built", "\n".join(check.check_programs(self.bin)))


if __name__ == "__main__":
    unittest.main()
