"""The `where` both protocols understand, and everything else refused."""

import pytest

from civic_pipeline.demo.conditions import ConditionUnknown, conditions_sql


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("1=1", "1 = 1"),
        ("OBJECTID > 5", "<OBJECTID> > 5"),
        ("OBJECTID >= 5 AND OBJECTID <= 9", "<OBJECTID> >= 5 and <OBJECTID> <= 9"),
        (":id > 'row-1'", "<:id> > 'row-1'"),
        ("name = 'O''Neil and Sons' and n<-1.5", "<name> = 'O''Neil and Sons' and <n> < -1.5"),
        ("(OBJECTID>1) AND (OBJECTID<3)", "<OBJECTID> > 1 and <OBJECTID> < 3"),
        ("DATE >= DATE '2021-01-02'", "<DATE> >= '2021-01-02'"),
        ("at > TIMESTAMP '2021-01-02 00:00:00'", "<at> > '2021-01-02 00:00:00'"),
    ],
)
def test_comparisons_become_sql(text: str, sql: str) -> None:
    assert conditions_sql(text, lambda name: f"<{name}>") == sql


@pytest.mark.parametrize("text", ["", "a", "a = 1 or b = 2", "a = b", "a = 1; drop table x", "a = 'x' --", "a = 1 and"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ConditionUnknown):
        conditions_sql(text, lambda name: name)
