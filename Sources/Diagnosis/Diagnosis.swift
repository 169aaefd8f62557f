// Diagnosis: see ARCHITECTURE.md.
