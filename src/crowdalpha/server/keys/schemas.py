"""What the routes of keys take and give."""

from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from crowdalpha.server.keys.service import ApiKey, NewApiKey

__all__ = ["KeyIn", "KeyOut", "NewKeyOut", "RotationIn"]


class KeyIn(BaseModel):
    """A key to make; without `scopes` it may do what the caller may."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    scopes: list[str] | None = Field(default=None, max_length=20)
    expires_at: AwareDatetime | None = None


class RotationIn(BaseModel):
    """How long the secret before still works."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    grace_hours: float = Field(default=24, ge=0, le=720)


class KeyOut(BaseModel):
    """A key, without its secret."""

    model_config = ConfigDict(frozen=True)

    id: int
    name: str
    public_id: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, key: ApiKey) -> "KeyOut":
        """Show a key."""
        return cls(
            id=key.id,
            name=key.name,
            public_id=key.public_id,
            scopes=list(key.scopes),
            created_at=key.created_at,
            expires_at=key.expires_at,
            last_used_at=key.last_used_at,
            revoked_at=key.revoked_at,
        )


class NewKeyOut(BaseModel):
    """A key and its secret, which is told this once; a request carries `Authorization: Token public_id$secret`."""

    model_config = ConfigDict(frozen=True)

    key: KeyOut
    secret: str = Field(repr=False)

    @classmethod
    def of(cls, made: NewApiKey) -> "NewKeyOut":
        """Tell a secret, once."""
        return cls(key=KeyOut.of(made.key), secret=made.secret)
