// Config: see ARCHITECTURE.md.
