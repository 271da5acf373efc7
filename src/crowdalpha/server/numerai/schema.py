"""The schema: every question and order that clients of the field send."""

from collections.abc import Iterator

import strawberry
from graphql import GraphQLError
from graphql import build_schema as read_schema
from strawberry.extensions import MaxAliasesLimiter, MaxTokensLimiter, QueryDepthLimiter, SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types
from strawberry.types import ExecutionContext

from crowdalpha.server.numerai.accounts import AccountMutations, AccountQueries
from crowdalpha.server.numerai.compute import RefusedMutations, RefusedQueries
from crowdalpha.server.numerai.diagnostics import DiagnosticsMutations, DiagnosticsQueries
from crowdalpha.server.numerai.documents import Spellings, respelled, spellings_of
from crowdalpha.server.numerai.files import FileQueries
from crowdalpha.server.numerai.leaderboards import LeaderboardQueries
from crowdalpha.server.numerai.profiles import ProfileMutations, ProfileQueries
from crowdalpha.server.numerai.results import ResultQueries
from crowdalpha.server.numerai.rounds import RoundQueries
from crowdalpha.server.numerai.scalars import SCALARS
from crowdalpha.server.numerai.scores import ScoreQueries
from crowdalpha.server.numerai.stakes import StakeMutations
from crowdalpha.server.numerai.submissions import SubmissionMutations, SubmissionQueries
from crowdalpha.server.numerai.webhooks import WebhookMutations

__all__ = ["MAX_ALIASES", "MAX_DEPTH", "MAX_TOKENS", "build_schema"]

MAX_TOKENS = 2000
"""Words and marks in a document; the longest that clients send has 130."""
MAX_DEPTH = 12
MAX_ALIASES = 30

QUERIES = (
    RoundQueries,
    FileQueries,
    AccountQueries,
    SubmissionQueries,
    ScoreQueries,
    ProfileQueries,
    ResultQueries,
    LeaderboardQueries,
    DiagnosticsQueries,
    RefusedQueries,
)
MUTATIONS = (
    AccountMutations,
    SubmissionMutations,
    ProfileMutations,
    StakeMutations,
    WebhookMutations,
    DiagnosticsMutations,
    RefusedMutations,
)


class FieldSchema(strawberry.Schema):
    """A schema whose refusals are logged once, by whoever answers the request."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Leave the log to the answer."""


def build_schema() -> strawberry.Schema:
    """Build the schema, with its limits and both spellings of every name."""
    spellings: Spellings = {}

    class Respell(SchemaExtension):
        def on_parse(self) -> Iterator[None]:
            yield
            document = self.execution_context.graphql_document
            if document is not None:
                self.execution_context.graphql_document = respelled(document, spellings)

    schema = FieldSchema(
        query=merge_types("Query", QUERIES),
        mutation=merge_types("Mutation", MUTATIONS),
        config=StrawberryConfig(scalar_map=SCALARS),
        extensions=[
            lambda: MaxTokensLimiter(max_token_count=MAX_TOKENS),
            Respell,
            lambda: MaxAliasesLimiter(max_alias_count=MAX_ALIASES),
            lambda: QueryDepthLimiter(max_depth=MAX_DEPTH),
        ],
    )
    spellings.update(spellings_of(read_schema(schema.as_str())))
    return schema
