"""What the routes of uploads take and give."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from crowdalpha.server.uploads.service import MAX_FILENAME, Upload

__all__ = ["UploadIn", "UploadOut"]


class UploadIn(BaseModel):
    """The file that a place is wanted for."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"filename": "predictions.parquet"}]})

    filename: str = Field(min_length=1, max_length=MAX_FILENAME)


class UploadOut(BaseModel):
    """A place for one file: PUT its bytes to `url`, then name `filename` where the file is wanted."""

    model_config = ConfigDict(frozen=True)

    token: str
    filename: str
    url: str
    expires_at: datetime

    @classmethod
    def of(cls, upload: Upload, *, url: str) -> "UploadOut":
        """Show a place."""
        return cls(token=upload.token, filename=upload.filename, url=url, expires_at=upload.expires_at)
