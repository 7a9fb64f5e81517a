#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that includes point downwards only, and that every file is listed in a meson.build.

A file of a module includes files of the modules below it, and of its own module those that its
meson.build lists earlier: first the public headers, then private headers and sources.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

BELOW = {
    "base": [],
    "core": ["base"],
    "io": ["base", "core"],
    "exec": ["base", "core", "io"],
    "http": ["base", "core", "io", "exec"],
    "testing": ["base", "core", "io", "exec"],
}

# Foreign headers, and the only files that may include them; public headers never do.
FOREIGN = {
    r"uv(/.*)?\.h": r"lib/(core|io)/.*",
    r"(openssl|crypto)/.*": r"lib/io/tls[^/]*",
    r"(histedit|editline/readline)\.h": r"lib/io/line_editor\.cc",
    r"(llhttp/)?llhttp\.h": r"lib/http/parser\.cc",
}

# The layer over uv_* calls brings libuv's types along: protocols are written without them.
WRAPPERS = "lib/core/uv.h"
MAY_WRAP = re.compile(r"lib/(core|io|testing)/.*")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def listed(meson_file, variable):
    """The quoted names in the assignment `variable = [...]` or `variable = files(...)`."""
    text = re.sub(r"#.*", "", meson_file.read_text())
    found = re.search(rf"^{variable} = (?:files\(|\[)(.*?)[\])]$", text, re.MULTILINE | re.DOTALL)
    return re.findall(r"'([^']+)'", found[1]) if found else []


def read_order():
    """{module: its files as paths from the root, in the order of its meson.build}"""
    order = {}
    for module in BELOW:
        meson_file = ROOT / "lib" / module / "meson.build"
        order[module] = [f"include/cuvee/{module}/{name}"
                         for name in listed(meson_file, f"{module}_headers")]
        order[module].append(f"include/cuvee/{module}.h")
        order[module] += [f"lib/{module}/{name}"
                          for name in listed(meson_file, f"{module}_sources")]
    return order


def resolve(kind, name, includer):
    """The project's file that an include names, as a path from the root, or None."""
    beside = [ROOT / pathlib.Path(includer).parent] if kind == '"' else []
    for folder in beside + [ROOT / "include", ROOT / "lib"]:
        path = (folder / name).resolve()
        if path.is_file() and path.is_relative_to(ROOT):
            return str(path.relative_to(ROOT))
    return None


def check_foreign(path, name):
    for pattern, allowed in FOREIGN.items():
        if re.fullmatch(pattern, name) and not re.fullmatch(allowed, path):
            yield f"includes <{name}>, which only {allowed} may"


def check_own(path, module, target, order):
    if target == WRAPPERS and not MAY_WRAP.fullmatch(path):
        yield f"includes {target}, which only {MAY_WRAP.pattern} may"
    if path.startswith("include/") and target.startswith("lib/"):
        yield f"is public but includes the private {target}"
        return
    if target == "include/cuvee/cuvee.h":
        yield "includes the umbrella over everything"
        return
    files = order[module]
    if target in files:
        if files.index(target) >= files.index(path):
            yield f"includes {target}, which lib/{module}/meson.build does not list before it"
        return
    if not any(target in order[lower] for lower in BELOW[module]):
        yield f"includes {target}, which is in no module below {module}"


def check_file(path, module, order):
    text = (ROOT / path).read_text()
    for found in INCLUDE.finditer(text):
        kind, name = found.groups()
        line = text.count("\n", 0, found.start(2)) + 1
        target = resolve(kind, name, path)
        if target is not None:
            problems = check_own(path, module, target, order)
        else:
            problems = check_foreign(path, name)
            if kind == '"' or name.startswith("cuvee/"):
                problems = [f"includes {name}, which does not exist"]
        for problem in problems:
            yield f"{path}:{line}: {problem}"


def files_below(folder):
    return {str(path.relative_to(ROOT)) for suffix in ("h", "cc")
            for path in (ROOT / folder).rglob(f"*.{suffix}")}


def check_lists(order):
    known = {path for files in order.values() for path in files} | {"include/cuvee/cuvee.h"}
    present = files_below("include") | files_below("lib")
    for path in sorted(present - known):
        yield f"{path}: listed in no lib/<module>/meson.build"
    for path in sorted(known - present):
        yield f"{path}: listed, but does not exist"
    for module in list(BELOW) + ["samples"]:
        meson_file = ROOT / "test" / module / "meson.build"
        if not meson_file.is_file():
            continue
        names = {f"test/{module}/{name}" for name in listed(meson_file, f"{module}_tests")}
        for path in sorted(files_below(f"test/{module}") - names):
            if path.endswith("_test.cc"):
                yield f"{path}: not listed in test/{module}/meson.build, so it never runs"


def main():
    order = read_order()
    problems = list(check_lists(order))
    for module, files in order.items():
        for path in files:
            if (ROOT / path).is_file():
                problems += check_file(path, module, order)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
