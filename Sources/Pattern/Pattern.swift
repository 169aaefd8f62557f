// Pattern: see ARCHITECTURE.md.
