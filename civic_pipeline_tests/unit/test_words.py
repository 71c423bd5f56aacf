"""One meaning, one word: the words that the glossary replaced, and names of values that say nothing."""

import ast
import re
import subprocess
from collections.abc import Iterator

from civic_pipeline.settings import CHECKOUT

# Each has a standard term: attempt, verified, control totals, failed; for `told`, say who reports what.
REPLACED = ("visit", "visits", "visited", "visiting", "proven", "conserve", "conserves", "conserved", "conserving", "sick", "told")  # fmt: skip
WORD = re.compile(rf"(?<![A-Za-z])({'|'.join(REPLACED)})(?![A-Za-z])", re.IGNORECASE)

# Verbs: a value is named by what it is.
NO_NOUNS = {"said", "made", "found", "told"}

# They quote the words: this list, what changed for users of the data, and names in files that earlier versions wrote.
QUOTES = {
    "CHANGELOG.md",
    "civic_pipeline/lake/attempt.py",
    "civic_pipeline_tests/fixtures/make_before.py",
    "civic_pipeline_tests/integration/terminal.py",
    "civic_pipeline_tests/integration/test_before.py",
    "civic_pipeline_tests/unit/test_words.py",
}


def texts(*endings: str) -> Iterator[tuple[str, str]]:
    """Every text file of the project with one of the endings, by its path."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        if name.endswith(endings) and (CHECKOUT / name).is_file() and name not in QUOTES:
            yield name, (CHECKOUT / name).read_text(encoding="utf-8")


def names_of_values(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and name of everything that is assigned, caught or passed."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield node.lineno, name
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield node.lineno, name


def test_no_text_uses_a_word_that_the_glossary_replaced() -> None:
    uses = [
        f"{name}:{number}: {word}"
        for name, text in texts(".py", ".md", ".sql", ".yml", ".yaml", ".toml", ".svg")
        for number, line in enumerate(text.splitlines(), 1)
        for word in WORD.findall(line)
    ]
    assert uses == []


def test_no_value_is_named_by_a_verb() -> None:
    uses = [
        f"{name}:{line}: {value}"
        for name, text in texts(".py")
        for line, value in names_of_values(ast.parse(text))
        if value.strip("_").lower() in NO_NOUNS
    ]
    uses += [
        f"{name}: {alias}"
        for name, text in texts(".sql")
        for alias in re.findall(rf"\bas ({'|'.join(NO_NOUNS)})\b", text)
    ]
    assert uses == []


def test_the_lint_sees_what_it_looks_for() -> None:
    assert WORD.findall("A failed visit; last_visit, proven: Conserved") == ["visit", "visit", "proven", "Conserved"]
    assert WORD.findall("visitor, provenance, conservative") == []
    code = "told = 1\nfor found in x:\n  pass\ndef f(said): ...\ntry: ...\nexcept E as made: ...\nwith a as found_rows: ..."
    assert {name for _, name in names_of_values(ast.parse(code))} == {"told", "found", "said", "made", "found_rows"}
