"""Stakes: money that a model puts at risk, and its delayed way out."""
