"""The door: it parses, calls the core, hands the answer to the renderer, and turns problems into exit codes."""
