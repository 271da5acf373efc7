"""What clients send that the schema does not know by that name.

Clients mix spellings: `submission_upload_auth` beside `submissionUploadAuth`, `model_name` beside `modelName`. Both are
taken for every field and argument; the answer has the spelling of the question. Some releases declare variables as
`bool` or `Str`, which are no types of GraphQL, and as `ID` where others write `String`.
"""

from dataclasses import replace

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    ListTypeNode,
    NamedTypeNode,
    NonNullTypeNode,
    TypeNode,
    VariableDefinitionNode,
    Visitor,
    visit,
)

__all__ = ["Spellings", "respelled", "spellings_of"]

TYPE_NAMES = {"bool": "Boolean", "Str": "String", "ID": "String"}

Spellings = dict[str, str]
"""Name in the schema, by the name without capitals and underscores."""


def spellings_of(schema: GraphQLSchema) -> Spellings:
    """List every field and argument of a schema under what all its spellings have in common."""
    spellings: Spellings = {}
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and not kind.name.startswith("__"):
            for name, field in kind.fields.items():
                spellings.update({_plain(each): each for each in (name, *field.args)})
    return spellings


def respelled(document: DocumentNode, spellings: Spellings) -> DocumentNode:
    """Write a document with the names of the schema; answers keep the names of the document."""
    renamed: DocumentNode = visit(document, _Respell(spellings))
    return renamed


class _Respell(Visitor):
    """Renames fields, arguments and the types of variables."""

    def __init__(self, spellings: Spellings) -> None:
        super().__init__()
        self._spellings = spellings

    def enter_field(self, node: FieldNode, *_: object) -> FieldNode | None:
        """Rename a field, and keep its key in the answer."""
        name = self._spellings.get(_plain(node.name.value))
        if name is None or name == node.name.value:
            return None
        return replace(node, name=replace(node.name, value=name), alias=node.alias or node.name)

    def enter_argument(self, node: ArgumentNode, *_: object) -> ArgumentNode | None:
        """Rename an argument."""
        name = self._spellings.get(_plain(node.name.value))
        if name is None or name == node.name.value:
            return None
        return replace(node, name=replace(node.name, value=name))

    def enter_variable_definition(self, node: VariableDefinitionNode, *_: object) -> VariableDefinitionNode:
        """Rename the type of a variable."""
        return replace(node, type=_known_type(node.type))


def _known_type(kind: TypeNode) -> TypeNode:
    if isinstance(kind, NamedTypeNode):
        name = kind.name.value
        return replace(kind, name=replace(kind.name, value=TYPE_NAMES.get(name, name)))
    if isinstance(kind, NonNullTypeNode):
        inner = _known_type(kind.type)
        return replace(kind, type=inner) if isinstance(inner, NamedTypeNode | ListTypeNode) else kind
    if isinstance(kind, ListTypeNode):
        return replace(kind, type=_known_type(kind.type))
    return kind


def _plain(name: str) -> str:
    return name.replace("_", "").lower() if not name.startswith("__") else name
