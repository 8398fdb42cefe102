#!/usr/bin/env python3
"""Builds the documentation as a site, and checks that no link of it leads nowhere.

Usage: .ci/site.py [FOLDER]. The site is written to FOLDER, by default target/site.

The pages lie where they are read in the repository: README.md, docs/, spec/protocol/ and so on. Here they are gathered, with every file
that they link to, so that all their links work on the site as well.
"""

import html.parser
import pathlib
import re
import shutil
import subprocess
import sys
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCES = ROOT / "docs/site"
LINK = re.compile(r"\]\(([^)\s]+)\)")


def main():
    site = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT / "target/site"
    book = site.with_name(site.name + "-pages")
    faults = gather(book)
    mdbook = ROOT / "target/tools/bin/mdbook"
    if not mdbook.exists():
        sys.exit(f"{mdbook} is missing: run .ci/tools")
    shutil.rmtree(site, ignore_errors=True)
    subprocess.run([mdbook, "build", book, "--dest-dir", site], check=True)
    pages = {page.relative_to(site).as_posix(): Page(page) for page in site.rglob("*.html")}
    for name, page in sorted(pages.items()):
        # The page of errors is served anywhere, and the table of contents is a part of each page.
        if name not in ("404.html", "toc.html"):
            faults += [f"{name}: {fault}" for fault in page.find_faults(name, pages, site)]
    if faults:
        sys.exit("\n".join([f"{len(faults)} faults:", *faults]))
    print(f"{site.relative_to(ROOT) if site.is_relative_to(ROOT) else site}: {len(pages)} pages, and all their links lead somewhere")


def gather(book):
    """Copies the pages of the table of contents, and what they link to. Lists the pages that the table lacks."""
    shutil.rmtree(book, ignore_errors=True)
    pages = book / "pages"
    pages.mkdir(parents=True)
    for name in ("book.toml", "site.css"):
        shutil.copy(SOURCES / name, book)
    summary = (SOURCES / "SUMMARY.md").read_text(encoding="utf-8")
    (pages / "SUMMARY.md").write_text(summary, encoding="utf-8")
    listed = {ROOT / target for target in LINK.findall(summary)}
    for page in sorted(listed):
        if page.exists():
            copy(page, pages)
            for target in LINK.findall(page.read_text(encoding="utf-8")):
                linked = (page.parent / urllib.parse.urlsplit(target).path).resolve()
                if not urllib.parse.urlsplit(target).scheme and linked not in listed and linked.is_file():
                    copy(linked, pages)
    there = {page for page in (ROOT / "docs").rglob("*.md") if page.parent != SOURCES}
    lacking = [f"docs/site/SUMMARY.md: lacks {page.relative_to(ROOT)}" for page in sorted(there - listed)]
    return lacking + [f"docs/site/SUMMARY.md: {page.relative_to(ROOT)} is not there" for page in sorted(listed) if not page.exists()]


def copy(file, pages):
    if file.is_relative_to(ROOT):
        target = pages / file.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)


class Page(html.parser.HTMLParser):
    """The links of a page, and the places in it that links may name."""

    def __init__(self, file):
        super().__init__()
        self.links, self.places = [], set()
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.places.add(attributes.get("id"))
        if tag in ("a", "img", "link", "script"):
            self.links.append(attributes.get("href") or attributes.get("src"))

    def find_faults(self, name, pages, site):
        for link in filter(None, self.links):
            parts = urllib.parse.urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = urllib.parse.urljoin(name, urllib.parse.unquote(parts.path)) if parts.path else name
            if not (site / target).is_file():
                yield f"{link} leads to no file"
            elif parts.fragment and target in pages and urllib.parse.unquote(parts.fragment) not in pages[target].places:
                yield f"{link} leads to no heading"


main()
