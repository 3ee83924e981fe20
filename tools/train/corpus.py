# SPDX-License-Identifier: MIT
"""English prose from the kernel's documentation.

The corpus is Documentation/**/*.rst of a Linux source tree, less the translations, reduced to paragraphs that read as
sentences: directives, literal blocks, tables, headings and inline markup go; one paragraph becomes one line of ASCII.

Only text under GPL-2.0 is taken. That is the kernel's licence where a file does not name one; a file that names its own
(some are under the GFDL alone) has to offer GPL-2.0 as a choice.
"""

import hashlib
import lzma
import pathlib
import re
import tarfile

HELDOUT_BYTES = 32 * 1024
HELDOUT_PER_FILE = 2 * 1024	# an excerpt of each held-out file, so that the sample covers many subjects
HELDOUT_ONE_IN = 40		# files
DOCUMENT_END = b"\0"		# token 0 ends a document; no paragraph holds one

_SPDX = re.compile(r"SPDX-License-Identifier:\s*(.+)")
_BULLET = re.compile(r"(?:[-*+\u2022]|\(?(?:\d+|[a-zA-Z#])[.)])\s+")
_RULE = re.compile(r"([^\w\s])\1{2,}[\s\S]*$")
_INLINE = (
    (re.compile(r":[\w:+-]+:`([^`<]*?)\s*<[^`>]*>`"), r"\1"),	# :ref:`text <label>`
    (re.compile(r":[\w:+-]+:`~?([^`]*)`"), r"\1"),		# :c:func:`name`
    (re.compile(r"``(.+?)``"), r"\1"),
    (re.compile(r"`([^`<]*?)\s*<[^`>]*>`_{0,2}"), r"\1"),	# `text <url>`_
    (re.compile(r"`([^`]+)`_{0,2}"), r"\1"),
    (re.compile(r"\s*\[[#\w]*\]_"), ""),			# footnote marks
    (re.compile(r"\*\*(.+?)\*\*"), r"\1"),
    (re.compile(r"(?<!\w)\*([^*\s][^*]*)\*(?!\w)"), r"\1"),
    (re.compile(r"\\(.)"), r"\1"),
    (re.compile(r"::$"), ":"),
    (re.compile(r"\s+"), " "),
)
_TYPOGRAPHY = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-",
                             "\u2026": "...", "\u00a0": " "})
_PROSE_START = re.compile(r"[A-Z\"'(]")
_NOT_PROSE = re.compile(r"[^A-Za-z ,.]")
_CODE = re.compile(r"[{}|<>=\\~^]|://|->|--|[;#]$")


def is_free(text):
    """Whether the file may be used under GPL-2.0."""
    spdx = _SPDX.search(text)
    return spdx is None or "GPL-2.0" in spdx.group(1)


def _is_prose(line):
    return (len(line) >= 60 and line.isascii() and line.isprintable() and line[-1] in ".!?:" and
            _PROSE_START.match(line) and not _CODE.search(line) and len(_NOT_PROSE.findall(line)) < 0.06 * len(line) and
            line.count(" ") >= len(line) / 9)


def _blocks(text):
    """The text's blank-line-separated blocks as (indent, lines)."""
    for block in re.split(r"\n\s*\n", text.expandtabs()):
        lines = [line for line in block.split("\n") if line.strip()]
        if lines:
            yield len(lines[0]) - len(lines[0].lstrip()), [line.strip() for line in lines]


def paragraphs(text):
    """The paragraphs of an .rst file that read as prose, each on one line."""
    skip_deeper_than = None	# inside the indented body of a directive or a literal block
    for indent, lines in _blocks(text):
        if skip_deeper_than is not None and indent > skip_deeper_than:
            continue
        skip_deeper_than = None
        if lines[0].startswith(".."):
            skip_deeper_than = indent
            continue
        if lines[-1].endswith("::"):
            skip_deeper_than = indent
        if any(_RULE.match(line) or line[0] in "+|>$:" for line in lines):
            continue	# a heading, a table, a quotation or a field list
        items = [[]]
        for line in lines:
            bullet = _BULLET.match(line)
            if bullet:
                items.append([line[bullet.end():]])
            else:
                items[-1].append(line)
        for item in items:
            line = " ".join(item).translate(_TYPOGRAPHY)
            for pattern, replacement in _INLINE:
                line = pattern.sub(replacement, line)
            line = line.strip()
            if line and _is_prose(line):
                yield line


def _wanted(name):
    return name.startswith("Documentation/") and name.endswith(".rst") and "/translations/" not in name


def _documents(path):
    """Every wanted file of a source tree or its tarball as (path below the tree, text), sorted by path."""
    path = pathlib.Path(path)
    documents = {}
    if path.is_dir():
        for file in path.glob("Documentation/**/*.rst"):
            name = file.relative_to(path).as_posix()
            if _wanted(name) and file.is_file():
                documents[name] = file.read_bytes()
    else:
        with tarfile.open(path) as tar:
            for member in tar:
                name = member.name.partition("/")[2]	# less the tree's own name
                if member.isfile() and _wanted(name):
                    documents[name] = tar.extractfile(member).read()
    return [(name, documents[name].decode("utf-8", "replace")) for name in sorted(documents)]


def _hash(name):
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def load(path):
    """Returns (train, heldout, sources): bytes, bytes, and the names of the files that heldout was taken from.

    The split is by whole files and depends on their names alone. A paragraph is taken once, from the held-out files
    first, so that nothing of the held-out text is in the training text.
    """
    try:
        documents = [(name, text) for name, text in _documents(path) if is_free(text)]
    except (OSError, tarfile.TarError, lzma.LZMAError) as error:
        raise ValueError(f"{path}: cannot be read: {error}") from error
    if not documents:
        raise ValueError(f"{path}: no Documentation/**/*.rst in it")

    seen = set()

    def fresh(text):
        for line in paragraphs(text):
            if line not in seen:
                seen.add(line)
                yield line.encode("ascii") + b"\n"

    heldout, sources, train = b"", [], []
    for name, text in sorted(documents, key=lambda document: _hash(document[0])):
        if _hash(name) % HELDOUT_ONE_IN:
            continue
        excerpt = b"".join(fresh(text))[:HELDOUT_PER_FILE]
        excerpt = excerpt[:excerpt.rfind(b"\n") + 1]	# whole paragraphs
        if excerpt and len(heldout) < HELDOUT_BYTES:
            heldout += excerpt
            sources.append(name)
    for name, text in documents:
        if _hash(name) % HELDOUT_ONE_IN:
            body = b"".join(fresh(text))
            if body:
                train.append(body)
    return DOCUMENT_END + DOCUMENT_END.join(train) + DOCUMENT_END, heldout[:HELDOUT_BYTES], sources
