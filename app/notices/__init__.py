"""Paper: facts go in, a PDF to keep comes out; issued papers are numbered and never change."""
