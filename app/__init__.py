"""Yichuang 一窗: the application. See docs/architecture.md for the rooms and the arrows between them."""
