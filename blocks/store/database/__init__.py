"""The store's database: tables, engines, its SQLite file, and what its errors mean."""

__all__ = ["engines", "errors", "schema", "tables"]
