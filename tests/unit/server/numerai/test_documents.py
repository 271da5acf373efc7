from graphql import build_schema, parse, print_ast

from crowdalpha.server.numerai.documents import respelled, spellings_of

SCHEMA = build_schema("""
    type Query { submissionUploadAuth(fileName: String): Auth, profile(modelName: String): Profile }
    type Auth { url: String }
    type Profile { return1Day: Float }
""")


def rewritten(text: str) -> str:
    document = respelled(parse(text), spellings_of(SCHEMA))
    return " ".join(print_ast(document).split())


def test_a_field_in_another_spelling_keeps_its_key_in_the_answer() -> None:
    assert rewritten("{submission_upload_auth {url}}") == "{ submission_upload_auth: submissionUploadAuth { url } }"
    assert rewritten("{profile {return_1_day}}") == "{ profile { return_1_day: return1Day } }"


def test_an_alias_of_the_client_stays() -> None:
    assert rewritten("{mine: submission_upload_auth {url}}") == "{ mine: submissionUploadAuth { url } }"


def test_an_argument_may_be_in_either_spelling() -> None:
    assert rewritten('{profile(model_name: "a") {return1Day}}') == '{ profile(modelName: "a") { return1Day } }'


def test_types_of_variables_that_are_none_get_their_names() -> None:
    text = "query ($a: bool!, $b: Str!, $c: [ID!]!, $d: Int) {profile {return1Day}}"

    assert rewritten(text).startswith("query ($a: Boolean!, $b: String!, $c: [String!]!, $d: Int)")


def test_what_the_schema_does_not_know_stays_to_be_refused() -> None:
    assert rewritten("{no_such_thing __typename}") == "{ no_such_thing __typename }"
