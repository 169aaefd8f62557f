// Machine: see ARCHITECTURE.md.
