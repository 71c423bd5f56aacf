"""The part of `where` that all protocols understand; everything else is rejected."""

import pytest

from civic_pipeline.demo.conditions import ConditionUnknown, conditions_sql


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("1=1", "true"),
        ("1=0", "1 = 0"),
        ("OBJECTID > 5", "<OBJECTID> > 5"),
        ("OBJECTID >= 5 AND OBJECTID <= 9", "<OBJECTID> >= 5 and <OBJECTID> <= 9"),
        (":id > 'row-1'", "<:id> > 'row-1'"),
        ("name = 'O''Neil and Sons' and n<-1.5", "<name> = 'O''Neil and Sons' and <n> < -1.5"),
        ("(OBJECTID>1) AND (OBJECTID<3)", "<OBJECTID> > 1 and <OBJECTID> < 3"),
        ("DATE >= DATE '2021-01-02'", "<DATE> >= '2021-01-02'"),
        ("at > TIMESTAMP '2021-01-02 00:00:00'", "<at> > '2021-01-02 00:00:00'"),
        ("a = 1 or b = 2 and c = 3", "(<a> = 1 or <b> = 2 and <c> = 3)"),
        ("a = 0 and (b > 'x' or (b = 'x' and c > 'y'))", "<a> = 0 and ((<b> > 'x' or (<b> = 'x' and <c> > 'y')))"),
        ("a in (1, 2) and b not in ('x')", "<a> in (1, 2) and <b> not in ('x')"),
        ("a between 1 and 2 and b is not null", "<a> between 1 and 2 and <b> is not null"),
    ],
)
def test_conditions_become_sql(text: str, sql: str) -> None:
    assert conditions_sql(text, lambda name: f"<{name}>") == sql


@pytest.mark.parametrize(
    "text",
    ["", "a", "a = b", "a = 1; drop table x", "a = 'x' --", "a = 1 and", "(a = 1", "a = 1)", "a in ()", "a like 'x'", "a is 1"],
)  # fmt: skip
def test_other_texts_are_rejected(text: str) -> None:
    with pytest.raises(ConditionUnknown):
        conditions_sql(text, lambda name: name)
