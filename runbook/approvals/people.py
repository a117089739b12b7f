"""People by their names: who somebody is, what they may, and when two names are one person.

Whether a person *may* do something goes by the exact name, but for case, white space and compatibility forms,
so that no look-alike gets another's rights. Whether two names *count* as two people goes by how they look, so
that no spelling of one name counts twice; and by whether the settings know both, since somebody whom they do
not know could be anybody, by another account. Each errs on the safe side.
"""

from collections.abc import Collection, Mapping

from pydantic import ConfigDict, Field

from runbook.approvals.names import likeness, name_flaw, spelling, tidy
from runbook.value import Value


class Person(Value):
    """Someone the settings know: the names of their accounts elsewhere, and their signing keys.

    The settings say `keys`. A field of that name would break every flow run: Prefect copies the models among
    its parameters with `dict`, which takes what has `keys` for a mapping.
    """

    model_config = ConfigDict(serialize_by_alias=True, validate_by_alias=True, validate_by_name=True)

    logins: tuple[str, ...] = Field(
        default=(),
        title="Logins",
        description="What this person is called where they log in: account, e-mail address, id.",
    )
    public_keys: tuple[str, ...] = Field(
        default=(),
        alias="keys",
        title="Keys",
        description="Public Ed25519 keys for signed answers, each as `runbook login` prints it.",
    )
    also: tuple[str, ...] = Field(
        default=(),
        title="Also",
        description="Names that count as this person and give none of this person's rights.",
    )
    counts_only: bool = Field(
        default=False,
        title="Counts only",
        description="Whether this entry only tells people apart and gives no rights.",
    )


People = Mapping[str, Person]
"""The known people by name."""


def known_as(name: str, people: People) -> str:
    """The person's name in the settings whose name or login this is, else the name itself."""
    wanted = spelling(name)
    for person, known in people.items():
        if wanted in map(spelling, (person, *known.logins)):
            return person
    return tidy(name)


def is_one_of(name: str, others: tuple[str, ...], people: People) -> bool:
    """Whether a person is one of those; by their exact names and logins."""
    person = spelling(known_as(name, people))
    return any(person == spelling(known_as(other, people)) for other in others)


def counted_as(name: str, people: People) -> str:
    """The same for all names that are, or could pass for, one person's."""
    form = likeness(name)
    for person, known in people.items():
        if form in map(likeness, (person, *known.logins, *known.also)):
            return likeness(person)
    return form


def is_listed(name: str, people: People) -> bool:
    """Whether this is the name or login of a person of the settings."""
    known = people.get(known_as(name, people))
    return known is not None and not known.counts_only


def certain_number(names: Collection[str], people: People, *, besides: Collection[str] = ()) -> int:
    """How many people these names are at the least, not counting who may be one of `besides`.

    A name that the settings do not know may be another account of anybody: of a person who is listed, or of
    the same one as another such name.
    """
    listed, unlisted = _sorted(names, people)
    listed_besides, unlisted_besides = _sorted(besides, people)
    number = max(0, len(listed - listed_besides) - len(unlisted_besides))
    return number or int(bool(unlisted) and not besides)


def _sorted(names: Collection[str], people: People) -> tuple[set[str], set[str]]:
    """What the names count as: of those that the settings know, and of the others."""
    listed = {counted_as(name, people) for name in names if is_listed(name, people)}
    return listed, {counted_as(name, people) for name in names} - listed


def people_flaw(people: People) -> str | None:
    """Why the people of the settings are not clear, `None` where they are.

    No name may belong to two of them, nor look as if it did.
    """
    owners: dict[str, str] = {}
    for person, known in people.items():
        for name in (person, *known.logins):
            if flaw := name_flaw(name):
                return f"{person}: the name {name!r} cannot be used: {flaw}"
            owner = owners.setdefault(likeness(name), person)
            if owner != person:
                return f"{person} and {owner} could both be {name!r}: give each name to one person"
    return None
