// Supervisor: see ARCHITECTURE.md.
