"""Calls of the outbox's SQL functions that SQLAlchemy and psycopg both execute.

A call is written twice from the same values: for SQLAlchemy as a `select` of the function with
bound parameters, whose compiled form is cached, and for psycopg as composed SQL with literals,
which each connection writes by its own rules. Nothing is sent before the caller executes it, and
then within the caller's transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar, cast

import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.dialects import postgresql

# Who executes a call through SQLAlchemy gets its refusal unwrapped.
import outbox.sqlalchemy_errors  # noqa: F401 - it listens to every engine once imported

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import LiteralString

    from sqlalchemy.types import TypeEngine

T = TypeVar("T")

_TYPES: Final[dict[LiteralString, TypeEngine[Any]]] = {
    "bytea": sa.LargeBinary(),
    "integer": sa.Integer(),
    "interval": postgresql.INTERVAL(),
    "jsonb": postgresql.JSONB(),
    "text": sa.Text(),
    "timestamptz": sa.TIMESTAMP(timezone=True),
}


class Executable(sa.Select[T], sql.Composed):  # type: ignore[misc]  # both have a join()
    """A statement for `execute` of SQLAlchemy's sessions and connections, and of psycopg's.

    In SQLAlchemy it is a `Select`: `.scalar_subquery()` puts it into another statement.
    """

    inherit_cache = True
    __hash__ = sa.Select.__hash__  # psycopg's defines equality, which would take it away

    def __init__(self, composed: sql.Composable, *columns: sa.ColumnElement[Any]) -> None:
        sa.Select.__init__(self, *columns)
        sql.Composed.__init__(self, [composed])


class Expression(NamedTuple):
    """An SQL expression in both forms."""

    clause: sa.ColumnElement[Any]
    composed: sql.Composable


def value(given: str | int | bytes, type_: LiteralString) -> Expression:
    """Return a value of one of PostgreSQL's types, written as text unless it is a number or bytes.

    What Python's own types would lose on the way is not lost so: an interval of a day stays 24
    hours, and JSON is written here and not by whatever the caller's engine is set to.
    """
    literal = sql.Literal(given)
    if not isinstance(given, str):
        return Expression(sa.literal(given, _TYPES[type_]), literal)
    text = sa.literal(given, sa.Text())
    if type_ == "text":
        return Expression(text, literal)
    return Expression(sa.cast(text, _TYPES[type_]), sql.SQL("{}::" + type_).format(literal))


def call(function: LiteralString, **arguments: Expression) -> Expression:
    """Return a call of a function of the schema outbox, each argument by its name."""
    named = [
        sa.literal_column(name).op("=>")(argument.clause) for name, argument in arguments.items()
    ]
    composed = [
        sql.SQL("{} => {}").format(sql.Identifier(name), argument.composed)
        for name, argument in arguments.items()
    ]
    return Expression(
        getattr(sa.func.outbox, function)(*named),
        sql.SQL("outbox.{}({})").format(sql.SQL(function), sql.SQL(", ").join(composed)),
    )


def with_member(body: Expression, name: str, member: Expression) -> Expression:
    """Return a JSON object to which a member is added."""
    key = value(name, "text")
    return Expression(
        body.clause.op("||")(sa.func.jsonb_build_object(key.clause, member.clause)),
        sql.SQL("{} || jsonb_build_object({}, {})").format(
            body.composed, key.composed, member.composed
        ),
    )


def with_items_media(body: Expression, media: Iterable[tuple[int, Expression]]) -> Expression:
    """Return an album to whose items, by their index, the digests of their media are added.

    The first that is given is evaluated first.
    """
    for index, digest in media:
        path = value(f"{{items,{index},media}}", "text")
        body = Expression(
            sa.func.jsonb_set(
                body.clause,
                sa.cast(path.clause, postgresql.ARRAY(sa.Text())),
                sa.func.to_jsonb(digest.clause),
            ),
            sql.SQL("jsonb_set({}, {}::text[], to_jsonb({}))").format(
                body.composed, path.composed, digest.composed
            ),
        )
    return body


def scalar(expression: Expression, name: LiteralString, type_: TypeEngine[T]) -> Executable[T]:
    """Return the statement that gives one row with the value of an expression."""
    return Executable(
        sql.SQL("select {} as {}").format(expression.composed, sql.Identifier(name)),
        sa.type_coerce(expression.clause, type_).label(name),
    )


def rows(expression: Expression, column: LiteralString, type_: TypeEngine[T]) -> Executable[T]:
    """Return the statement that gives the rows of a function that returns a set."""
    function = cast("sa.FunctionElement[Any]", expression.clause)
    return Executable(
        sql.SQL("select {} from {}").format(sql.Identifier(column), expression.composed),
        function.table_valued(sa.column(column, type_)).c[column],
    )
