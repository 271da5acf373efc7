"""What the routes of every feature share: who asks, how errors and tables look, pages."""
