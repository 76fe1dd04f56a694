"""The catalogue: departments, service items, their guides, materials and limits, and their import."""
