// Control: see ARCHITECTURE.md.
