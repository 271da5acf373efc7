"""The GraphQL interface that existing clients of Numerai-style tournaments speak.

Resolvers are thin: each calls a service of a feature and shows what it returns under the names that clients know.
"""
