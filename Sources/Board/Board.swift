// Board: see ARCHITECTURE.md.
