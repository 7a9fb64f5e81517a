#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that the code and output shown in Markdown files stand in files that tests build and run, and that links
between files lead somewhere.

Every ```cpp or ```text block of the files below has a line `<!-- from PATH -->` above it, PATH counted from the
root, and occurs there word for word.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENTS = ["README.md", *sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("docs/*.md"))]

BLOCK = re.compile(r"^```(cpp|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SOURCE = re.compile(r"<!-- from (\S+) -->\n\Z")
LINK = re.compile(r"\]\(([^)#\s]*)(#[^)\s]*)?\)")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


def anchor(heading):
    """As GitHub makes them."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def bad_blocks(text):
    for found in BLOCK.finditer(text):
        named = SOURCE.search(text, 0, found.start())
        if not named:
            yield found.start(), f"a {found[1]} block without a line `<!-- from PATH -->`"
            continue
        source = ROOT / named[1]
        if not source.is_file():
            yield found.start(), f"there is no {named[1]}"
        elif found[2] not in source.read_text():
            yield found.start(), f"this block does not occur in {named[1]}"


def bad_links(document, text):
    for found in LINK.finditer(text):
        path, fragment = found[1], found[2]
        if re.match(r"[a-z]+:", path):
            continue
        target = (document.parent / path).resolve() if path else document
        if not target.exists():
            yield found.start(), f"a link to {path}, which does not exist"
        elif fragment and target.suffix == ".md":
            if fragment[1:] not in map(anchor, HEADING.findall(target.read_text())):
                yield found.start(), f"a link to {fragment}, which is no heading of {target.name}"


def main():
    failed = False
    for name in DOCUMENTS:
        document = ROOT / name
        text = document.read_text()
        for offset, problem in [*bad_blocks(text), *bad_links(document, text)]:
            print(f"{name}:{text.count(chr(10), 0, offset) + 1}: {problem}")
            failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
