"""What all HTML pages written by the kit have in common."""

# Reports and data docs are static files: no script, no network, only inline styles and embedded images.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
)
