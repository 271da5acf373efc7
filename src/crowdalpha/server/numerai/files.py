"""Files of the tournaments under the names that clients know: `v1.0/train.parquet`, `signals/v1.0/live.parquet`."""

__all__ = ["FileQueries"]
