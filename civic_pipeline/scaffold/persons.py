"""Which columns of a source look as if they were about persons, by their names and titles."""

import re

from civic_pipeline.portals import PortalColumn
from civic_pipeline.scaffold.profile import clean_name

_WORD = re.compile(
    r"phone|email|fax|(telephone|tel|mobile|cell)$|owner(?!ship)|applicant|contact(?!less)|surname|birth|dob$"
    r"|(creator|editor|inspector|signatory|resident|tenant|occupant|defendant|victim|complainant|caller|petitioner|licensee|registrant)$"
)
_PHRASE = re.compile(
    r"(^|_)((first|last|middle|given|family|full|maiden|person|employee|officer|agent|taxpayer|payee|grantor|grantee|legal)_?name(s|_\d+)?"
    r"|(modified|created|edited|updated|entered|changed|approved|reviewed|inspected|submitted|requested)_by"
    r"|(created|edited|updated|modified|last_edited)_user|e_mail|date_of_birth|birth_?date)(_|$)"
)


def is_about_persons(column: PortalColumn) -> bool:
    """Whether the column's name or title says a person's name, telephone, e-mail, birth, or who did something.

    By words only: values are neither looked at nor written anywhere.
    """
    for text in (column.name, column.title):
        name = clean_name(text, (), ())
        if _PHRASE.search(name) or any(_WORD.match(word) or word.endswith("phone") for word in name.split("_")):
            return True
    return False
