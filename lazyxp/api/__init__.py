"""The functions of the standard: one module a section."""
